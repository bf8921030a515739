"""Mandates: their life, who is told, and that nobody learns who has an account."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from casework import mandates
from casework.carriers import carrier, carrier_of
from casework.context import Context
from casework.mandate_views import MandateView
from rules.mandates import pair_of
from rules.people import Citizen
from rules.refusals import Refusal
from storage.engines import EngineUrls
from storage.mandates import StoredMandate
from storage.timelines import sealed_event
from tests.casework.inside import citizen, house, licence_holder
from tests.casework.mandating import code, live, offered, wish
from tests.support.known_codes import forget_limits


async def refusal_of(deed: Awaitable[Any]) -> str:
    try:
        await deed
    except Refusal as refusal:
        return refusal.code
    return "done"


async def _stored(ctx: Context, grant: str) -> StoredMandate:
    stored = await ctx.stores.mandates.get(pair_of(grant))
    assert stored is not None
    return stored


@pytest.mark.gen_test(timeout=60)
async def test_given_accepted_and_revoked_with_both_told(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        principal, agent = await citizen(ctx, 1), await citizen(ctx, 2)
        given = await offered(ctx, principal, agent)
        assert (given.standing, given.actions, given.role) == ("offered", ["end"], "principal")
        (seen,) = (await mandates.mine(ctx, agent)).received
        assert (seen.id, seen.actions) == (given.id, ["accept", "end"])
        assert seen.principal == principal.name and seen.scope == ["驾驶证业务"]

        accepted = await mandates.accept(ctx, agent, given.id, "accept")
        assert accepted.standing == "live"
        assert await mandates.accept(ctx, agent, given.id, "accept") == accepted
        again = await refusal_of(mandates.accept(ctx, agent, given.id, "again"))
        assert again == "mandate-not-possible"

        revoked = await mandates.end(ctx, principal, given.id, "revoke")
        assert revoked.standing == "revoked" and revoked.actions == []
        assert [e.type for e in revoked.timeline] == ["given", "accepted", "revoked"]
        stored = await _stored(ctx, given.id)
        told = sorted((n.template, n.audience) for n in stored.notices.values())
        events = ("accepted", "given", "revoked")
        assert told == [(e, who) for e in events for who in ("agent", "principal")]
        for notice in stored.notices.values():
            assert carrier_of(notice.id) == stored.mandate.id
            held = await carrier(ctx, stored.mandate.id)
            assert held is not None
            reader = await held.reader(ctx, notice)
            who = principal if notice.audience == "principal" else agent
            assert reader.session is not None and reader.session.key == who.key
            assert reader.phone == who.phone
            sms = await held.sms(ctx, notice)
            assert all(0 < len(v) <= 35 for v in sms.params.values())
        assert await ctx.stores.mandates.with_notice_due(ctx.now(), 9) == [stored.mandate.id]


@pytest.mark.gen_test(timeout=60)
async def test_a_new_grant_is_another_and_the_old_one_is_gone(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        principal, agent = await citizen(ctx, 1), await citizen(ctx, 2)
        first = await live(ctx, principal, agent, "first")
        twice = await refusal_of(mandates.check(ctx, principal, wish(ctx, agent)))
        assert twice == "mandate-under-way"
        await mandates.end(ctx, agent, first.id, "enough")
        second = await offered(ctx, principal, agent, "second", businesses=["vehicle"])
        assert second.id != first.id and pair_of(second.id) == pair_of(first.id)
        assert await refusal_of(mandates.accept(ctx, agent, first.id, "late")) == "not-found"
        declined = await mandates.end(ctx, agent, second.id, "no")
        assert [e.type for e in declined.timeline] == ["given", "declined"]
        # The other way round it is another pair.
        back = await offered(ctx, agent, principal, "back")
        assert pair_of(back.id) != pair_of(first.id)
        assert {m.id for m in (await mandates.mine(ctx, agent)).given} == {back.id}


@pytest.mark.gen_test(timeout=60)
async def test_dates_end_a_mandate_and_an_offer(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        principal, agent = await citizen(ctx, 1), await citizen(ctx, 2)
        other = await citizen(ctx, 3)
        kept = await live(ctx, principal, agent)
        left = await offered(ctx, principal, other, "left")
        ctx.clock.ahead += timedelta(days=8)  # type: ignore[attr-defined]  # the test's clock
        assert (await mandates.view(ctx, principal, left.id)).standing == "lapsed"
        assert await refusal_of(mandates.accept(ctx, other, left.id, "a")) == "mandate-not-possible"
        assert (await mandates.view(ctx, agent, kept.id)).standing == "live"
        ctx.clock.ahead += timedelta(days=22)  # type: ignore[attr-defined]  # the test's clock
        assert (await mandates.view(ctx, agent, kept.id)).standing == "live"
        ctx.clock.ahead += timedelta(days=1)  # type: ignore[attr-defined]  # the test's clock
        expired = await mandates.view(ctx, agent, kept.id)
        assert (expired.standing, expired.actions) == ("expired", [])
        anew = await offered(ctx, principal, agent, "anew")
        assert anew.standing == "offered"


@pytest.mark.gen_test(timeout=60)
async def test_the_answer_tells_nobody_who_has_an_account_or_what_he_is_called(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        principal, named, misnamed = [await citizen(ctx, n) for n in (1, 2, 3)]
        nobody = replace(named, key="", id_number=await licence_holder(ctx, 4))
        views: list[dict[str, Any]] = []
        for n, agent in enumerate((named, replace(misnamed, name="张三丰"), nobody)):
            view = await offered(ctx, principal, agent, f"give-{n}")
            views.append(_without_names(view))
        assert views[0] == views[1] == views[2]
        assert len((await mandates.mine(ctx, named)).received) == 1
        assert (await mandates.mine(ctx, misnamed)).received == []
        wrong = next(
            m.id for m in (await mandates.mine(ctx, principal)).given if m.agent == "张三丰"
        )
        assert await refusal_of(mandates.accept(ctx, misnamed, wrong, "x")) == "not-found"
        assert await refusal_of(mandates.view(ctx, misnamed, wrong)) == "not-found"
        # Nobody but the two it names is told of it.
        for grant, expected in ((wrong, None), (await _id_for(ctx, principal, named), named.key)):
            held = await carrier(ctx, pair_of(grant))
            assert held is not None
            (notice,) = (n for n in held.notices.values() if n.audience == "agent")
            reader = await held.reader(ctx, notice)
            assert (reader.session.key if reader.session else None) == expected
            assert bool(reader.phone) == (expected is not None)
        # Who registers later finds what was offered to him.
        late = await citizen(ctx, 4)
        (seen,) = (await mandates.mine(ctx, late)).received
        assert (await mandates.accept(ctx, late, seen.id, "late")).standing == "live"


async def _id_for(ctx: Context, principal: Citizen, agent: Citizen) -> str:
    pair = ctx.stores.mandates.pair(principal.key, agent.key)
    stored = await ctx.stores.mandates.get(pair)
    assert stored is not None
    return stored.mandate.grant


def _without_names(view: MandateView) -> dict[str, Any]:
    told = {k: v for k, v in vars(view).items() if k not in ("id", "agent")}
    times = {"given_at": 0, "answer_by": 0, "timeline": [(e.type, e.text) for e in view.timeline]}
    return {**told, **times, "named": bool(view.agent), "id": len(view.id)}


@pytest.mark.gen_test(timeout=60)
async def test_what_does_not_fit_is_refused_before_the_code_is_used(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        principal, agent = await citizen(ctx, 1), await citizen(ctx, 2)
        sms_code = await code(ctx, principal)
        child = "410105201501011" + "23"
        tomorrow = ctx.today() + timedelta(days=1)
        for changes, expected in (
            ({"agent_id_number": principal.id_number}, "mandate-to-oneself"),
            ({"agent_id_number": "410105198001011234"}, "id-number-invalid"),
            ({"agent_id_number": _checked(child)}, "mandate-agent-too-young"),
            ({"agent_name": "Li"}, "name-invalid"),
            ({"relation": "neighbour"}, "mandate-relation-unknown"),
            ({"businesses": []}, "mandate-scope-unfit"),
            ({"businesses": ["household"]}, "mandate-scope-unfit"),
            ({"businesses": [], "services": ["register-face-sign"]}, "mandate-scope-unfit"),
            ({"until": ctx.today()}, "mandate-until-unfit"),
            ({"until": ctx.today() + timedelta(days=366)}, "mandate-until-unfit"),
        ):
            asked = mandates.give(ctx, principal, wish(ctx, agent, **changes), sms_code, "give")
            assert await refusal_of(asked) == expected, changes
        wrong = "000000" if sms_code != "000000" else "111111"
        good = wish(ctx, agent, until=tomorrow)
        assert await refusal_of(mandates.give(ctx, principal, good, wrong, "give")) == "code-wrong"
        view = await mandates.give(ctx, principal, good, sms_code, "give")
        assert await mandates.give(ctx, principal, good, "whatever", "give") == view
        # The code is used up, and another's is none.
        other = await citizen(ctx, 3)
        used = mandates.give(ctx, principal, wish(ctx, other), sms_code, "other")
        assert await refusal_of(used) == "code-expired"
        theirs = mandates.give(ctx, principal, wish(ctx, other), await code(ctx, other), "other")
        assert await refusal_of(theirs) == "code-expired"


def _checked(seventeen: str) -> str:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(d) * w for d, w in zip(seventeen, weights, strict=True))
    return seventeen + "10X98765432"[total % 11]


@pytest.mark.gen_test(timeout=60)
async def test_only_so_many_a_day(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        principal, agent = await citizen(ctx, 1), await citizen(ctx, 2)
        most = int(ctx.figure("mandate.given_per_day"))
        for _ in range(most):
            await ctx.stores.memory.hit(f"mandate:{principal.key}", most, 86400)
        asked = offered(ctx, principal, agent)
        assert await refusal_of(asked) == "too-many-mandates"


@pytest.mark.gen_test(timeout=120)
async def test_accepting_and_revoking_at_once_is_one_story(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        principal = await citizen(ctx, 1)
        for n in range(2, 10):
            agent = await citizen(ctx, n)
            await forget_limits(ctx, mongo_database)
            given = await offered(ctx, principal, agent, f"give-{n}")
            answers = await asyncio.gather(
                refusal_of(mandates.accept(ctx, agent, given.id, f"a{n}")),
                refusal_of(mandates.end(ctx, principal, given.id, f"r{n}")),
                refusal_of(mandates.end(ctx, agent, given.id, f"d{n}")),
            )
            stored = await _stored(ctx, given.id)
            events = tuple(e.type for e in stored.mandate.timeline)
            assert events in STORIES, (events, answers)
            assert stored.mandate.version == len(events)
            assert answers.count("done") == len(events) - 1


STORIES = {
    ("given", "revoked"),
    ("given", "declined"),
    ("given", "accepted", "revoked"),
    ("given", "accepted", "given_up"),
}


@pytest.mark.gen_test(timeout=60)
async def test_without_the_condition_both_answers_would_stand(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    """What the version guards against: two who read one offer and both write."""
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        principal, agent = await citizen(ctx, 1), await citizen(ctx, 2)
        given = await offered(ctx, principal, agent)
        read = (await _stored(ctx, given.id)).mandate
        for n, deed in enumerate(("accepted", "declined")):
            event = replace(
                read.timeline[0], id=f"{read.id}-000{n + 2}", type=deed, cause=deed, data={}
            )
            sealed = sealed_event(ctx.stores.vault, f"mandates/{read.id}", event)
            change = {"$push": {"timeline": sealed}, "$set": {"version": 2}}
            await ctx.stores.database["mandates"].update_one({"_id": read.id}, change)
        after = (await _stored(ctx, given.id)).mandate
        assert [e.type for e in after.timeline] == ["given", "accepted", "declined"]
        assert tuple(e.type for e in after.timeline) not in STORIES


@pytest.mark.gen_test(timeout=60)
async def test_one_pair_has_one_offer_however_often_it_is_given_at_once(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        principal, agent = await citizen(ctx, 1), await citizen(ctx, 2)
        sms_code = await code(ctx, principal)
        tried = [
            refusal_of(mandates.give(ctx, principal, wish(ctx, agent), sms_code, "one"))
            for _ in range(4)
        ]
        assert await asyncio.gather(*tried) == ["done"] * 4
        (view,) = (await mandates.mine(ctx, principal)).given
        assert [e.type for e in view.timeline] == ["given"]


@pytest.mark.gen_test(timeout=60)
async def test_closing_an_account_ends_every_mandate(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        one, two, three = [await citizen(ctx, n) for n in (1, 2, 3)]
        await live(ctx, one, two, "a")
        await offered(ctx, one, three, "b")
        await live(ctx, three, one, "c")
        assert await mandates.end_all(ctx, one, "closing") == 3
        mine = await mandates.mine(ctx, one)
        ended = {m.standing for m in (*mine.given, *mine.received)}
        assert ended == {"revoked", "given_up"}
        assert await mandates.end_all(ctx, one, "closing") == 0
