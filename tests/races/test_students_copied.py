"""Students made in bulk are what the verbs and the stores make of a student."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from casework.context import Context
from casework.exams.listing import record
from casework.logins import authenticate
from storage.engines import EngineUrls
from storage.sealed_places import sealed_values, unlisted_values, with_values
from tests.casework.inside import house
from tests.support.students import by_verbs, students

COLLECTIONS = ("sessions", "matters", "enrolments")


async def kept(ctx: Context) -> dict[str, dict[str, Any]]:
    """Every document by collection and id, opened, its times and the login's secrets aside."""
    found = {}
    for name in COLLECTIONS:
        async for document in ctx.stores.database[name].find({}):
            assert unlisted_values(name, document) == []
            opened = {v.steps: v.reopened(ctx.stores.vault) for v in sealed_values(name, document)}
            found[f"{name}/{document['_id']}"] = without_times(
                {**document, **with_values(document, opened)}
            )
    return found


def without_times(held: Any) -> Any:
    """The same with a word in place of whatever differs from one making to another."""
    if isinstance(held, datetime):
        return "time"
    if isinstance(held, dict):
        aside = ("queue", "family", "secret")
        named = {k: v if k not in aside else "aside" for k, v in held.items()}
        if "seen" in named:
            named["id"] = "aside"
        return {k: without_times(v) for k, v in named.items()}
    return [without_times(v) for v in held] if isinstance(held, list) else held


@pytest.mark.gen_test(timeout=120)
async def test_a_copied_student_is_the_one_the_verbs_make(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        made = await students(ctx, 3)
        copied = await kept(ctx)
        citizens = [await authenticate(ctx, one.token) for one in made]
        assert [c.key for c in citizens] == [one.key for one in made]
        standing = await record(ctx, citizens[2])
        assert [(a.subject, a.outcome) for a in standing.attempts] == [("1", "passed")]
        for name in COLLECTIONS:
            await ctx.stores.database[name].delete_many({})
        for order in range(3):
            await by_verbs(ctx, order)
        by_hand = await kept(ctx)
        assert len(by_hand) == 9
        assert {name: copied[name] for name in by_hand} == by_hand
