"""Nothing is kept that is not said: every stored path stands in the table of what is held."""

from pathlib import Path

from casework.context import Context
from casework.exam_effects import booking_key
from casework.exams.booking import book, wait
from casework.exams.leaving import cancel
from rules.book import load_rulebook
from rules.privacy import stored_paths
from storage.engines import EngineUrls
from tests.casework.exams import learner, published
from tests.keys.houses import lived
from tests.support.citizens import OFFICE
from tests.support.known_codes import CODE, lay_code
from tests.support.story import look, say

PRIVACY = load_rulebook().privacy


async def _uncovered(ctx: Context) -> dict[str, set[str]]:
    """Collection -> stored paths that no row covers."""
    missing: dict[str, set[str]] = {}
    for name in await ctx.stores.database.list_collection_names():
        async for document in ctx.stores.database[name].find({}):
            for path in stored_paths(name, document):
                if PRIVACY.field_of(path) is None:
                    missing.setdefault(name, set()).add(path)
    return missing


def test_every_stored_path_is_in_the_table(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    with lived(engine_urls, tmp_path / "house", mongo_database) as story:
        agreed = {"document": "privacy", "version": "2021-11"}
        assert story.citizen.call("POST", "/consents", agreed).status == 204
        tap = {"template_id": "matter-progress", "result": "accept"}
        assert story.citizen.call("POST", "/consents", tap).status == 204
        story.town.desk(OFFICE).open("/desk/")
        say(story.chatting, "隐私")
        leaving = story.town.face_signed()
        look(story.house, lambda ctx: lay_code(ctx, "close", leaving.person.id_number))
        assert leaving.call("DELETE", "/me", {"sms_code": CODE}).status == 200
        look(story.house, _booked)
        missing = look(story.house, _uncovered)
        assert not missing, f"say in rules/privacy.toml what this is kept for: {missing}"
        # The walk would find a field nobody spoke of.
        look(story.house, _hide_something)
        assert look(story.house, _uncovered) == {"sessions": {"sessions:blood_group"}}


async def _booked(ctx: Context) -> None:
    """A test booked, one waited for, an offer open, a result: everything a plan keeps."""
    people = [await learner(ctx, order) for order in range(700, 705)]
    await published(ctx, "K2-1", capacity=1)
    held = await book(ctx, people[0], "K2-1", "a", "mini")
    for who in people[1:4]:
        await wait(ctx, who, "K2-1", "w", "mini")
    await cancel(ctx, people[0], held.number, "c")
    await ctx.stores.exam_plans.note_result("K2-1", held.number, "passed", 4)
    await ctx.stores.live_bookings.claim(booking_key(people[4].key, "2"), "000000000001", ctx.now())


async def _hide_something(ctx: Context) -> None:
    await ctx.stores.database["sessions"].insert_one({"_id": "x", "blood_group": "A"})
