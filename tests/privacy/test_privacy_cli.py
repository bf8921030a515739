"""``bianmin retention`` and ``bianmin access-log verify`` as an operator runs them."""

from datetime import timedelta
from pathlib import Path

from casework.context import Context
from storage.engines import EngineUrls
from tests.casework.inside import OFFICE, citizen, draft
from tests.support.processes import House
from tests.support.story import look


async def _old_draft(ctx: Context) -> None:
    number = await draft(ctx, await citizen(ctx, 1))
    old = ctx.now() - timedelta(days=99)
    stored = await ctx.stores.database["matters"].find_one({"_id": number})
    assert stored is not None
    events = [{**e, "at": old} for e in stored["timeline"]]
    change = {"$set": {"updated_at": old, "timeline": events}}
    await ctx.stores.database["matters"].update_one({"_id": number}, change)


def _lines(output: str) -> dict[str, str]:
    return dict(line.split("\t") for line in output.splitlines())


def test_retention_and_the_check_of_the_access_log(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    with House(tmp_path, engine_urls, mongo_database) as town:
        look(town, _old_draft)
        counted = town.command("retention", "--dry-run")
        assert counted.returncode == 0 and _lines(counted.stdout)["drafts"] == "1"
        for expected in ("1", "0"):
            done = town.command("retention")
            assert done.returncode == 0, done.stderr
            assert _lines(done.stdout)["drafts"] == expected
        whole = town.command("access-log", "verify")
        assert whole.returncode == 0 and "Every chain is whole." in whole.stdout
        look(town, _forge)
        torn = town.command("access-log", "verify")
        assert torn.returncode == 1 and "changed" in torn.stderr and "Traceback" not in torn.stderr


async def _forge(ctx: Context) -> None:
    log = ctx.stores.database["access_log"]
    await log.update_one({"office": OFFICE}, {"$set": {"officer": "nobody"}})
