"""The rows of ``rules.flow.TABLE``: one file a kind of service, named as the catalogue names it."""
