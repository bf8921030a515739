"""The retention job, with the clock put forward: what expires, what stays, and doing it twice."""

from datetime import timedelta
from pathlib import Path

import pytest

from casework import accounts, closing, codes, logins, matters, retention
from casework.askers import prover_at
from casework.context import Context
from rules.matter import State
from rules.people import Citizen
from rules.refusals import Refusal
from storage.conversations import Place
from storage.engines import EngineUrls
from tests.casework.inside import Clock, citizen, draft, house
from tests.storage.test_photos import _stream


def _wait(ctx: Context, days: float) -> None:
    assert isinstance(ctx.clock, Clock)
    ctx.clock.ahead += timedelta(days=days)


async def _state(ctx: Context, number: str) -> State | None:
    stored = await ctx.stores.matters.get(number)
    return stored.matter.state if stored else None


@pytest.mark.gen_test(timeout=60)
async def test_a_forgotten_draft_is_thrown_away_and_later_deleted(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who, other = await citizen(ctx, 1), await citizen(ctx, 2)
        forgotten, touched = await draft(ctx, who), await draft(ctx, other)
        photo = await ctx.stores.photos.save(_stream(b"x" * 999), matter=forgotten, at=ctx.now())
        _wait(ctx, 89)
        assert (await retention.would(ctx))["drafts"] == 0
        await matters.fill(ctx, other, touched, {"reason": "出国（境）"}, "touch")
        _wait(ctx, 2)
        assert (await retention.would(ctx))["drafts"] == 1
        assert await _state(ctx, forgotten) is State.DRAFT, "a dry run changed something"
        assert (await retention.run(ctx))["drafts"] == 1
        assert await _state(ctx, forgotten) is State.WITHDRAWN
        assert await _state(ctx, touched) is State.DRAFT
        # Its place is free again, and it is the citizen's own thing to see until it is deleted.
        assert await draft(ctx, who, "another") != forgotten
        _wait(ctx, 6)
        assert (await retention.run(ctx))["thrown-away"] == 0
        _wait(ctx, 2)
        assert (await retention.run(ctx))["thrown-away"] == 1
        assert await _state(ctx, forgotten) is None
        assert await ctx.stores.photos.of_matter(forgotten) == []
        with pytest.raises(LookupError):
            await ctx.stores.photos.open(photo)
        assert sum((await retention.run(ctx)).values()) == 0, "a second run found something"


@pytest.mark.gen_test(timeout=60)
async def test_a_draft_touched_meanwhile_is_not_thrown_away(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    """The step itself looks at the time again, on the version it is written on."""
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await citizen(ctx, 1)
        number = await draft(ctx, who)
        _wait(ctx, 91)
        found = await ctx.stores.retention.matters(State.DRAFT, ctx.now(), 9)
        await matters.fill(ctx, who, number, {"reason": "出国（境）"}, "touch")
        with pytest.raises(Refusal, match="step-not-possible"):
            await retention._discard(ctx, found[0])
        assert await _state(ctx, number) is State.DRAFT


@pytest.mark.gen_test(timeout=60)
async def test_decided_matters_stay_for_their_outcomes_time(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        numbers = {}
        collection = ctx.stores.database["matters"]
        for order, state in enumerate((State.WITHDRAWN, State.REFUSED, State.SUBMITTED), 1):
            numbers[state] = await draft(ctx, await citizen(ctx, order))
            clear = {"state": state.value, "submitted_at": ctx.now()}
            await collection.update_one({"_id": numbers[state]}, {"$set": clear})
        for days, gone in ((360, set()), (10, {State.WITHDRAWN}), (720, {State.WITHDRAWN})):
            _wait(ctx, days)
            await retention.run(ctx)
            there = {s for s, n in numbers.items() if await _state(ctx, n) is not None}
            assert there == set(numbers) - gone
        _wait(ctx, 10)
        done = await retention.run(ctx)
        assert done["refused"] == 1 and await _state(ctx, numbers[State.REFUSED]) is None
        # Face-signing is finished at once; it stays for ten years. What is under way always does.
        assert await collection.count_documents({"state": "finished"}) == 3
        _wait(ctx, 7 * 366)
        assert (await retention.run(ctx))["finished"] == 3
        assert await _state(ctx, numbers[State.SUBMITTED]) is not None


@pytest.mark.gen_test(timeout=60)
async def test_parts_of_a_session_expire_and_the_session_stays(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await citizen(ctx, 1)
        token = (await accounts.open_session(ctx, who, "mini", "手机")).token
        talks = ctx.stores.conversations
        until = ctx.now() + timedelta(days=1)
        for place in (Place("sessions", who.key), Place("visitors", "v")):
            assert await talks.commit(
                place, 0, message_id="m", reply="r", dialogue={"a": 1}, expires_at=until
            )
        await talks.postpone(Place("visitors", "v"), "late", {"text": "x"}, ctx.now())
        assert sum((await retention.run(ctx)).values()) == 0
        _wait(ctx, 1.5)
        done = await retention.run(ctx)
        assert done["talks"] == 1 and done["visitors"] == 0
        held = await ctx.stores.database["sessions"].find_one({"_id": who.key})
        assert held is not None and held["talk"] == {"turn": 1, "replies": []}
        place = Place("sessions", who.key)
        later = ctx.now() + timedelta(days=1)
        assert await talks.commit(
            place, 1, message_id="n", reply="s", dialogue=None, expires_at=later
        ), "the next answer found no turn to follow"
        _wait(ctx, 2)
        done = await retention.run(ctx)
        assert done["visitors"] == 1 and done["late-messages"] == 1
        assert (await logins.authenticate(ctx, token)).key == who.key
        _wait(ctx, 200)
        assert (await retention.run(ctx))["logins"] == 1
        held = await ctx.stores.database["sessions"].find_one({"_id": who.key})
        assert held is not None and held["devices"] == []
        assert await ctx.stores.sessions.get(who.key) is not None


async def _close(ctx: Context, who: Citizen) -> None:
    asker = prover_at(ctx, "10.0.0.1")
    place = codes.slot(ctx, "close", who.key, who.phone, asker)
    await ctx.stores.memory.put_code(place, "123456", 60)
    await closing.close(ctx, who, sms_code="123456", asker=asker, cause="close")


@pytest.mark.gen_test(timeout=60)
async def test_a_closed_account_loses_its_name_with_its_last_file(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await citizen(ctx, 1)
        await _close(ctx, who)
        _wait(ctx, 31)
        await retention.run(ctx)
        assert await ctx.stores.sessions.person(who.key) is not None, "a file still names him"
        _wait(ctx, 3660)
        await retention.run(ctx)
        assert await ctx.stores.matters.of_applicant(who.key, 9) == []
        _wait(ctx, 31)
        await retention.run(ctx)
        assert await ctx.stores.sessions.person(who.key) is None
        held = await ctx.stores.database["sessions"].find_one({"_id": who.key})
        assert held is not None and "closed_at" in held, "the claim on the ID number must stay"


@pytest.mark.gen_test(timeout=60)
async def test_old_chains_of_the_access_log_go_whole(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await citizen(ctx, 1)
        log = ctx.stores.access_log
        assert len(await log.of_subject(who.key, 9)) == 1
        for days in (2, 2):
            await log.anchor(ctx.now())
            _wait(ctx, days)
        await log.anchor(ctx.now())
        _wait(ctx, 3 * 366)
        await citizen(ctx, 2)
        assert (await retention.run(ctx))["access-log"] == 1
        assert await log.of_subject(who.key, 9) == []
        report = await log.verify()
        assert report.runs == 1 and report.entries > 0 and not report.faults


@pytest.mark.gen_test(timeout=60)
async def test_one_that_fails_holds_up_no_other(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        first, second = await citizen(ctx, 1), await citizen(ctx, 2)
        broken = await draft(ctx, first)
        good = await draft(ctx, second)
        await ctx.stores.database["matters"].update_one(
            {"_id": broken}, {"$set": {"timeline.0.data": b"broken"}}
        )
        _wait(ctx, 91)
        assert (await retention.run(ctx))["drafts"] == 1
        assert await _state(ctx, good) is State.WITHDRAWN


@pytest.mark.gen_test(timeout=60)
async def test_a_day_has_one_run_whichever_worker_comes_first(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await citizen(ctx, 1)
        await retention.daily(ctx)
        number = await draft(ctx, who)
        _wait(ctx, 91)
        await retention.daily(ctx)
        assert await _state(ctx, number) is State.WITHDRAWN
        second = await draft(ctx, who, "second")
        await ctx.stores.database["matters"].update_one(
            {"_id": second}, {"$set": {"updated_at": ctx.now() - timedelta(days=99)}}
        )
        await retention.daily(ctx)
        assert await _state(ctx, second) is State.DRAFT
