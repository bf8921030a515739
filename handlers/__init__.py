"""The doors that come by HTTP; base.py is what every one of them stands on."""
