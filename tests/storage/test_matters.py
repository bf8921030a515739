"""Matters: one number one matter, one write a version, deliveries that never refuse an officer."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from rules.effects import Effect
from rules.flow import begin, evolve
from rules.matter import Event, Matter, State
from rules.notices import Notice, NoticeState
from rules.people import Actor
from storage.engines import EngineUrls
from storage.matter_documents import Owed
from tests.storage.opening import NOW, PHONE, opened

CITIZEN = Actor("citizen", "k" * 43)


def _event(number: str, seq: int, type_: str, cause: str, at: datetime, **data: Any) -> Event:
    return Event(f"{number}-{seq:04d}", type_, at, CITIZEN, cause, data)


def _draft(number: str, cause: str = "c", at: datetime = NOW, applicant: str = "k" * 43) -> Matter:
    given = {"applicant": applicant, "subject": applicant, "office": "4101V01", "channel": "mini"}
    return begin(number, "licence-deferral", _event(number, 1, "created", cause, at, **given))


def _filled(before: Matter, cause: str, values: dict[str, str]) -> Matter:
    seq = before.version + 1
    return evolve(before, _event(before.number, seq, "filled", cause, NOW, values=values))


def _submitted(before: Matter, at: datetime) -> Matter:
    due = (at + timedelta(days=1)).isoformat()
    return evolve(before, _event(before.number, before.version + 1, "submitted", "s", at, due=due))


def _notice(name: str, due: datetime) -> Notice:
    return Notice(f"m-{name}", "m-0001", "submitted", NoticeState.DUE, due)


@pytest.mark.gen_test(timeout=30)
async def test_of_twenty_beginnings_one_takes_the_number(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        drafts = [_draft("1", f"c{i}") for i in range(20)]
        made = await asyncio.gather(*(stores.matters.insert(d, Owed()) for d in drafts))
        assert sum(made) == 1
        stored = await stores.matters.get("1")
        assert stored is not None and stored.matter == drafts[made.index(True)]
        assert await stores.matters.get("2") is None


@pytest.mark.gen_test(timeout=30)
async def test_of_twenty_steps_on_one_version_one_is_written(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        matter = _draft("1")
        assert await stores.matters.insert(matter, Owed())
        for round_ in range(4):
            ways = [_filled(matter, f"{round_}-{i}", {"reason": f"{i}"}) for i in range(20)]
            written = await asyncio.gather(
                *(stores.matters.append(matter, way, Owed()) for way in ways)
            )
            assert sum(written) == 1
            stored = await stores.matters.get("1")
            assert stored is not None and stored.matter == ways[written.index(True)]
            matter = stored.matter
        assert len(matter.timeline) == matter.version == 5


@pytest.mark.gen_test(timeout=30)
async def test_a_step_and_a_delivery_do_not_refuse_each_other(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        first, second = _notice("a", NOW), _notice("b", NOW + timedelta(hours=1))
        await stores.matters.insert(_draft("1"), Owed(notices=[first]))
        read = await stores.matters.get("1")
        assert read is not None and read.notices == {"m-a": first}
        sent = replace(first, state=NoticeState.SENT, due=None)
        saved = await asyncio.gather(*(stores.matters.save_notice(read, sent) for _ in range(10)))
        assert sum(saved) == 1
        step = _filled(read.matter, "f", {"reason": "x"})
        assert await stores.matters.append(read.matter, step, Owed(notices=[second]))
        read = await stores.matters.get("1")
        assert read is not None and read.notices == {"m-a": sent, "m-b": second}
        assert await stores.matters.with_notice_due(NOW, 10) == []
        assert await stores.matters.with_notice_due(NOW + timedelta(hours=1), 10) == ["1"]


@pytest.mark.gen_test(timeout=30)
async def test_what_is_owed_is_found_longest_due_first(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        matters = stores.matters
        effect = Effect("e1", "release_place")
        for i, number in enumerate(("3", "1", "2")):
            at = NOW + timedelta(minutes=i)
            owed = Owed(effects=[effect], export_due=True, remind_at=at)
            await matters.insert(_draft(number, at=at), owed)
        end = NOW + timedelta(hours=1)
        for look in (matters.with_effect_due, matters.with_export_due, matters.with_remind_due):
            assert await look(end, 10) == ["3", "1", "2"]
            assert await look(NOW, 10) == ["3"]
            assert await look(end, 2) == ["3", "1"]
        stored = await matters.get("3")
        assert stored is not None and stored.effects == (effect,)
        # An event came meanwhile: what it owes is still to be looked for.
        await matters.effects_done("3", ["e1"], stored.matter.version - 1)
        assert await matters.with_effect_due(NOW, 10) == ["3"]
        left = await matters.get("3")
        assert left is not None and left.effects == ()
        await matters.effects_done("3", [], stored.matter.version)
        assert await matters.with_effect_due(NOW, 10) == []


@pytest.mark.gen_test(timeout=30)
async def test_lists_are_in_order(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        matters = stores.matters
        for i in range(5):
            draft = _draft(f"{i}", at=NOW + timedelta(minutes=i))
            await matters.insert(draft, Owed())
            at = NOW + timedelta(hours=9 - i)
            assert i == 0 or await matters.append(draft, _submitted(draft, at), Owed())
        await matters.insert(_draft("9", applicant="other"), Owed())
        mine = await matters.of_applicant("k" * 43, 3)
        assert [r.number for r in mine] == ["4", "3", "2"]
        rows = await matters.worklist("4101V01", State.SUBMITTED, 3)
        assert [r.number for r in rows] == ["4", "3", "2"]
        assert rows[0].due == NOW + timedelta(hours=5, days=1)
        rest = await matters.worklist("4101V01", State.SUBMITTED, 3, rows[-1].queue)
        assert [r.number for r in rest] == ["1"]
        assert await matters.count("4101V01", State.SUBMITTED, 99) == 4
        assert await matters.count("4101V01", State.SUBMITTED, 2) == 2
        assert await matters.worklist("4105V01", State.SUBMITTED, 3) == []


@pytest.mark.gen_test(timeout=30)
async def test_what_a_person_wrote_is_sealed(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        draft = _draft("1")
        await stores.matters.insert(draft, Owed())
        filled = _filled(draft, "f", {"contact": PHONE})
        assert await stores.matters.append(draft, filled, Owed())
        document = await stores.database["matters"].find_one({"_id": "1"})
        assert PHONE not in repr(document)
        stored = await stores.matters.get("1")
        assert stored is not None and stored.matter.form == {"contact": PHONE}
