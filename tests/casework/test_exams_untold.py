"""Whom no message reached: listed for a call, by day, until the office has told him."""

from dataclasses import replace
from pathlib import Path

import pytest

from casework import steps
from casework.context import Context
from casework.exams import desk_bookings, telling
from casework.exams.booking import book
from casework.officers import Officer
from rules.matter import State
from rules.notices import NoticeState
from rules.people import Citizen
from storage.engines import EngineUrls
from tests.casework.exams import learner, published
from tests.casework.inside import OTHER, house, officer
from tests.casework.schools import clerk
from tests.casework.test_bookings import forward
from tests.casework.test_exams_at_desk import refused


async def settle(ctx: Context, number: str, state: NoticeState) -> None:
    """What became of the last message about a booking."""
    stored = await steps.load(ctx, number)
    last = max(stored.notices.values(), key=lambda notice: notice.event)
    settled = replace(last, state=state, due=None)
    assert await ctx.stores.matters.save_notice(stored, settled)


async def refused_unheard(ctx: Context, who: Officer, citizen: Citizen) -> str:
    """A booking the office refused, of which no message arrived."""
    held = await book(ctx, citizen, "K2-1", "a", "mini")
    await desk_bookings.refuse_booking(
        ctx, who, held.number, reason="体检过期", version=held.version, cause="desk:r"
    )
    await settle(ctx, held.number, NoticeState.UNDELIVERED)
    return held.number


async def listed(ctx: Context, who: Officer) -> list[str]:
    """The numbers of the list's first page."""
    return [row.view.number for row in (await telling.untold(ctx, who)).rows]


@pytest.mark.gen_test(timeout=120)
async def test_who_was_not_reached_is_listed_for_a_call(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who, away, one = await officer(ctx), await officer(ctx, OTHER), await learner(ctx, 1)
        await published(ctx)
        held = await book(ctx, one, "K2-1", "a", "mini")
        await settle(ctx, held.number, NoticeState.DEAD)
        # That it was accepted he saw himself.
        assert await listed(ctx, who) == []
        await desk_bookings.refuse_booking(
            ctx, who, held.number, reason="体检过期", version=held.version, cause="desk:r"
        )
        await settle(ctx, held.number, NoticeState.UNDELIVERED)
        (row,) = (await telling.untold(ctx, who)).rows
        assert (row.view.number, row.name, row.why) == (held.number, "陈**", "未送达")
        assert (await desk_bookings.open_booking(ctx, who, held.number)).to_call
        assert await listed(ctx, away) == []
        school = await clerk(ctx)
        assert (await refused(telling.untold(ctx, school))).code == "role-not-allowed"
        await settle(ctx, held.number, NoticeState.DELIVERED)
        assert await listed(ctx, who) == []
        await settle(ctx, held.number, NoticeState.DEAD)
        forward(ctx, days=21)
        assert await listed(ctx, who) == []


@pytest.mark.gen_test(timeout=120)
async def test_who_was_told_on_the_phone_is_listed_no_more(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who, away, school = await officer(ctx), await officer(ctx, OTHER), await clerk(ctx)
        await published(ctx, capacity=9)
        number = await refused_unheard(ctx, who, await learner(ctx, 1))
        version = (await steps.load(ctx, number)).matter.version

        async def told(by: Officer, cause: str, seen: int = version) -> None:
            await telling.note_told(ctx, by, number, version=seen, cause=cause)

        assert (await refused(told(away, "desk:t"))).code == "tested-elsewhere"
        assert (await refused(told(school, "desk:t"))).code == "role-not-allowed"
        assert (await refused(told(who, "desk:t", version - 1))).code == "stale-version"
        for _ in range(2):
            await told(who, "desk:t")
        assert await listed(ctx, who) == []
        opened = await desk_bookings.open_booking(ctx, who, number)
        last = opened.log[-1]
        assert (opened.view.state, opened.to_call) == (State.REFUSED, False)
        assert (last.text, last.actor, last.note) == ("车管所已电话告知", who.username, "")
        assert opened.view.timeline[-1].text == "车管所已电话告知"
        again = told(who, "desk:u", opened.view.version)
        assert (await refused(again)).code == "step-not-possible"
        # A receipt that comes late changes nothing about it.
        await settle(ctx, number, NoticeState.DEAD)
        assert await listed(ctx, who) == []


@pytest.mark.gen_test(timeout=120)
async def test_the_list_goes_on_page_by_page(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await officer(ctx)
        await published(ctx, capacity=9)
        made = [await refused_unheard(ctx, who, await learner(ctx, n)) for n in range(1, 6)]
        pages, after = list[list[str]](), ""
        while len(pages) < 4:
            page = await telling.untold(ctx, who, after, limit=2)
            pages.append([row.view.number for row in page.rows])
            if page.next is None:
                break
            after = page.next
        assert [len(page) for page in pages] == [2, 2, 1]
        assert [number for page in pages for number in page] == sorted(made)
