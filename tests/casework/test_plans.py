"""Publishing a session, changing and cancelling a published one, from inside."""

from datetime import timedelta
from pathlib import Path

import pytest

from casework import steps
from casework.context import Context
from casework.exams.attending import attend, attend_due
from casework.exams.booking import book, wait
from casework.exams.leaving import accept, accept_change, cancel, leave
from casework.exams.listing import booking, plan
from casework.exams.publishing import cancel_plan, change_plan, publish
from casework.officers import Officer
from rules.calendar import HOUSE_ZONE
from rules.exams.plan import Subject
from rules.exams.site import Site
from rules.matter import State
from rules.refusals import Refusal
from storage.engines import EngineUrls
from tests.casework.exams import learner
from tests.casework.inside import OFFICE, OTHER, house, officer
from tests.casework.test_bookings import forward

SITE = Site(
    **{"code": "4101K1", "name": "郑州第一考场", "office": OFFICE, "address": "示范路1号"},
    **{"phone": "0370-5550101", "hours": "工作日 8:00-17:00"},
    subjects=(Subject.FIELD, Subject.ROAD),
    daily_capacity=50,
)


async def town(ctx: Context) -> Officer:
    """An officer with two sites of his office, and one of another."""
    who = await officer(ctx)
    others = [
        Site(**{**vars(SITE), "code": "4101K2", "name": "郑州第二考场"}),
        Site(**{**vars(SITE), "code": "4106K1", "office": OTHER}),
    ]
    await ctx.stores.exam_sites.upsert([SITE, *others])
    return who


def entry(ctx: Context, **changes: str) -> dict[str, str]:
    """A session in twenty days that closes five days before it."""
    day = ctx.today() + timedelta(days=20)
    return {
        **{"site": "4101K1", "subject": "2", "vehicle_class": "C1", "day": day.isoformat()},
        **{"starts": "8:30", "ends": "11:30", "capacity": "2"},
        "closes_at": f"{day - timedelta(days=5)} 18:00",
        **changes,
    }


def in_days(ctx: Context, days: int) -> str:
    return (ctx.today() + timedelta(days=days)).isoformat()


def wrong(refused: pytest.ExceptionInfo[Refusal]) -> list[str]:
    """The fields a refusal names."""
    assert refused.value.code == "form-incomplete"
    return [str(f["part"]).removeprefix("field:") for f in refused.value.params["fields"]]


async def drained(ctx: Context, code: str) -> None:
    """Everything owed is done."""
    await attend(ctx, code)
    places = await ctx.stores.exam_places.get(code)
    assert places is not None and not places.owed


async def notices(ctx: Context, number: str, event: str) -> int:
    """How many messages a matter owes, or has sent, because of events of one kind."""
    stored = await steps.load(ctx, number)
    kinds = {e.id: e.type for e in stored.matter.timeline}
    return sum(kinds[n.event] == event for n in stored.notices.values())


@pytest.mark.gen_test(timeout=120)
async def test_a_session_is_published_once_and_in_time(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await town(ctx)
        made = await publish(ctx, who, OFFICE, entry(ctx), "c1")
        assert (made.site_name, made.capacity, made.left) == ("郑州第一考场", 2, 2)
        assert made.bookable and made.closes_at.astimezone(HOUSE_ZONE).hour == 18
        again = await publish(ctx, who, OFFICE, entry(ctx), "c1")
        assert again.code == made.code
        with pytest.raises(Refusal) as refused:
            await publish(ctx, who, OFFICE, entry(ctx, capacity="3"), "c1")
        assert refused.value.code == "plan-code-taken"
        for values, fields in (
            ({"day": in_days(ctx, 9), "closes_at": in_days(ctx, 5)}, ["day"]),
            ({"closes_at": in_days(ctx, 18)}, ["closes_at"]),
            ({"site": "4106K1"}, ["site"]),
            ({"site": "nowhere"}, ["site"]),
            ({"subject": "1"}, ["site"]),
            ({"capacity": "0"}, ["capacity"]),
            # Fifty a day, two of them given out above.
            ({"capacity": "49"}, ["capacity"]),
            ({"starts": "11:30"}, ["ends"]),
            ({"vehicle_class": "C9", "day": "soon"}, ["vehicle_class", "day"]),
            ({"closes_at": "soon", "capacity": ""}, ["capacity", "closes_at"]),
        ):
            with pytest.raises(Refusal) as refused:
                await publish(ctx, who, OFFICE, entry(ctx, **values), "c2")
            assert wrong(refused) == fields, values
        # On the first day the law allows, with the latest closing there may be.
        first = {"day": in_days(ctx, 10), "closes_at": "", "capacity": "50"}
        soonest = await publish(ctx, who, OFFICE, entry(ctx, **first), "c3")
        assert soonest.closes_at.astimezone(HOUSE_ZONE).date() == ctx.today() + timedelta(days=7)
        elsewhere = await officer(ctx, OTHER)
        for stranger, code in (
            (elsewhere, "plan-of-other-office"),
            (clerk(who), "role-not-allowed"),
        ):
            for act in (
                publish(ctx, stranger, OFFICE, entry(ctx), "c4"),
                change_plan(ctx, stranger, made.code, entry(ctx, starts="9:00"), "因故", "c5"),
                cancel_plan(ctx, stranger, made.code, "因故", "c6"),
            ):
                with pytest.raises(Refusal) as refused:
                    await act
                assert refused.value.code == code


def clerk(who: Officer) -> Officer:
    return Officer(who.username, who.name, "clerk", who.office)


@pytest.mark.gen_test(timeout=120)
async def test_a_change_takes_everybody_along(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await town(ctx)
        code = (await publish(ctx, who, OFFICE, entry(ctx, capacity="1"), "c")).code
        holder, offered, waiting, late = [await learner(ctx, n) for n in (1, 2, 3, 4)]
        held = await book(ctx, holder, code, "a", "mini")
        next_one = await wait(ctx, offered, code, "w", "mini")
        last = await wait(ctx, waiting, code, "w", "mini")
        moved = entry(ctx, capacity="2", day=in_days(ctx, 25), site="4101K2", starts="9:00")
        moved["closes_at"] = in_days(ctx, 20)
        with pytest.raises(Refusal) as refused:
            await change_plan(ctx, who, code, moved, " ", "x")
        assert refused.value.code == "reason-needed"
        with pytest.raises(Refusal) as refused:
            await change_plan(ctx, who, code, moved, "场地维修", "x", seen=7)
        assert refused.value.code == "stale-version"
        for cause in ("change", "change"):
            changed = await change_plan(ctx, who, code, moved, "场地维修", cause, seen=0)
            assert (changed.site_name, changed.starts) == ("郑州第二考场", "09:00")
        await drained(ctx, code)
        for person, one, state in (
            (holder, held, State.ACCEPTED),
            (offered, next_one, State.OFFERED),
            (waiting, last, State.WAITING),
        ):
            seen = await booking(ctx, person, one.number)
            assert (seen.state, seen.day.isoformat()) == (state, in_days(ctx, 25))
            assert (seen.site_name, seen.starts) == ("郑州第二考场", "09:00")
            told = [e for e in seen.timeline if e.type == "plan_changed"]
            assert [e.note for e in told] == ["场地维修"]
            assert await notices(ctx, one.number, "plan_changed") == 1
        stored = (await steps.load(ctx, held.number)).matter
        assert stored.due is not None
        assert stored.due.astimezone(HOUSE_ZONE).date() == ctx.today() + timedelta(days=23)
        assert (await booking(ctx, holder, held.number)).changed
        await accept(ctx, offered, next_one.number, "yes")
        assert not (await booking(ctx, offered, next_one.number)).changed
        # A second change is heard again by who has accepted the first.
        await accept_change(ctx, holder, held.number, "fine")
        await change_plan(ctx, who, code, {**moved, "starts": "10:00"}, "调整", "again", seen=1)
        await drained(ctx, code)
        seen = await booking(ctx, holder, held.number)
        assert (seen.starts, seen.changed) == ("10:00", True)
        await cancel(ctx, holder, held.number, "off")
        await leave(ctx, waiting, last.number, "off")
        # Who books a session that has been changed hears of it at most once, and stays.
        fresh = await book(ctx, late, code, "a", "mini")
        await drained(ctx, code)
        assert (await booking(ctx, late, fresh.number)).starts == "10:00"
        assert not (await booking(ctx, late, fresh.number)).changed
        history = await ctx.stores.exam_plans.history(code)
        assert [h["what"] for h in history] == ["published", "changed", "changed"]
        assert history[1]["before"]["site"] == "4101K1" and history[1]["by"] == who.username


@pytest.mark.gen_test(timeout=120)
async def test_what_may_not_be_changed(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await town(ctx)
        code = (await publish(ctx, who, OFFICE, entry(ctx), "c")).code
        people = [await learner(ctx, n) for n in (1, 2)]
        held = [await book(ctx, one, code, "a", "mini") for one in people]

        async def refused_fields(**changes: str) -> list[str]:
            with pytest.raises(Refusal) as refused:
                await change_plan(ctx, who, code, entry(ctx, **changes), "因故", "x")
            return wrong(refused)

        assert await refused_fields(capacity="1") == ["capacity"]
        assert await refused_fields(subject="3", vehicle_class="C2") == ["subject", "vehicle_class"]
        assert await refused_fields(day=in_days(ctx, 9), closes_at=in_days(ctx, 5)) == ["day"]
        assert await refused_fields(closes_at=in_days(ctx, 18)) == ["closes_at"]
        assert await refused_fields(site="4106K1") == ["site"]
        opened = entry(ctx)
        forward(ctx, days=16)
        await attend_due(ctx)
        assert (await booking(ctx, people[0], held[0].number)).state == State.CONFIRMED
        for closed in ({"capacity": "5"}, {"day": in_days(ctx, 30)}):
            with pytest.raises(Refusal) as refused:
                await change_plan(ctx, who, code, {**opened, **closed}, "因故", "x")
            assert wrong(refused) == list(closed)
        # After the closing site and hours still may, and who is confirmed hears it.
        await change_plan(ctx, who, code, {**opened, "starts": "9:00"}, "因故", "late")
        await drained(ctx, code)
        seen = await booking(ctx, people[0], held[0].number)
        assert (seen.state, seen.starts, seen.changed) == (State.CONFIRMED, "09:00", True)
        assert (await plan(ctx, code)).status == "closed"
        assert (await cancel(ctx, people[0], held[0].number, "off")).state == State.WITHDRAWN
        forward(ctx, days=6)
        for act in (
            change_plan(ctx, who, code, {**opened, "starts": "9:30"}, "因故", "y"),
            cancel_plan(ctx, who, code, "因故", "z"),
        ):
            with pytest.raises(Refusal) as refused:
                await act
            assert refused.value.code == "plan-not-changeable"


@pytest.mark.gen_test(timeout=120)
async def test_cancelling_releases_everybody_once(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await town(ctx)
        code = (await publish(ctx, who, OFFICE, entry(ctx, capacity="1"), "c")).code
        people = [await learner(ctx, n) for n in (1, 2, 3)]
        made = [await book(ctx, people[0], code, "a", "mini")]
        made += [await wait(ctx, one, code, "w", "mini") for one in people[1:]]
        more = entry(ctx, capacity="2")
        await change_plan(ctx, who, code, more, "增加名额", "more")
        await drained(ctx, code)
        states = [
            (await booking(ctx, p, b.number)).state for p, b in zip(people, made, strict=True)
        ]
        assert states == [State.ACCEPTED, State.OFFERED, State.WAITING]
        # Nothing of what is held changed by it: nobody hears a word.
        assert not (await booking(ctx, people[0], made[0].number)).changed
        with pytest.raises(Refusal) as refused:
            await cancel_plan(ctx, who, code, "", "no")
        assert refused.value.code == "reason-needed"
        for cause in ("no", "no", "again"):
            assert (await cancel_plan(ctx, who, code, "大雪", cause)).status == "cancelled"
        await drained(ctx, code)
        for person, one in zip(people, made, strict=True):
            seen = await booking(ctx, person, one.number)
            assert seen.state == State.WITHDRAWN
            assert [e.note for e in seen.timeline if e.type == "released"] == ["大雪"]
            assert await notices(ctx, one.number, "released") == 1
            assert (await steps.load(ctx, one.number)).effects == ()
        assert (await plan(ctx, code)).status == "cancelled"
        with pytest.raises(Refusal) as refused:
            await change_plan(ctx, who, code, entry(ctx, starts="9:00"), "因故", "x")
        assert refused.value.code == "plan-not-changeable"
        # No attempt is lost by it: each may book the same subject again.
        other = (await publish(ctx, who, OFFICE, entry(ctx, capacity="3"), "c2")).code
        for person in people:
            assert (await book(ctx, person, other, "b", "mini")).state == State.ACCEPTED
        history = await ctx.stores.exam_plans.history(code)
        assert [h["what"] for h in history] == ["published", "changed", "cancelled"]
