"""Two ways of opening an account, for three processes that race each other round by round.

python -m tests.races.look_then_write WAY URL DATABASE; each line on standard input is a round. The
way ``look`` finds by an indexed field and inserts when there is nothing; ``claim`` lets ``_id``
decide, as ``storage.sessions`` does.
"""

import sys
from typing import Any

from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

Accounts = Collection[dict[str, Any]]


def look(accounts: Accounts, person: str) -> None:
    """Look, then write."""
    if accounts.find_one({"person": person}) is None:
        accounts.insert_one({"person": person})


def claim(accounts: Accounts, person: str) -> None:
    """Write, and let the one who was first be told."""
    try:
        accounts.insert_one({"_id": person, "person": person})
    except DuplicateKeyError:
        # The other one proved the same person: this is his account too.
        return


def main(way: str, url: str, database: str) -> None:
    """Take part in every round read, and say when it is done."""
    client: MongoClient[dict[str, Any]] = MongoClient(url, w="majority")
    with client:
        accounts = client[database]["accounts"]
        accounts.create_index("person")
        print("ready", flush=True)
        for line in sys.stdin:
            {"look": look, "claim": claim}[way](accounts, line.strip())
            print("done", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
