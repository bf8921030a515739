"""An agent acts for his principal: with the principal's rights, at the principal's one place, as
long as the mandate is live, and no longer."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from casework import desk, mandates, matters, steps, worklist
from casework.carriers import MatterCarrier
from casework.context import Context
from casework.facts import facts_of
from casework.views import MatterView
from rules.flow import decide, evolve
from rules.matter import Event, NewEvent
from rules.notices import FINAL
from rules.people import Citizen, Tier
from rules.refusals import Refusal
from storage.engines import EngineUrls
from storage.matter_documents import Owed
from storage.session_documents import NewSession
from tests.casework.inside import SERVICE, citizen, draft, house, officer
from tests.casework.mandating import live, offered
from tests.casework.test_mandates import refusal_of
from tests.desk.town import id_number, picture


async def begun(ctx: Context, agent: Citizen, grant: str, cause: str = "begin") -> MatterView:
    """A matter begun for somebody else."""
    return await matters.open_draft(ctx, agent, SERVICE, cause, "mini", grant)


async def _going(ctx: Context, who: Citizen) -> list[str]:
    return [m.number for m in await matters.mine(ctx, who) if m.service == SERVICE]


async def _filled(ctx: Context, who: Citizen, number: str, *materials: str) -> None:
    until = (ctx.today() + timedelta(days=400)).isoformat()
    await matters.fill(ctx, who, number, {"reason": "出国（境）", "until": until}, "fill")
    for material in materials:
        await _attach(ctx, who, number, material)


async def _attach(ctx: Context, who: Citizen, number: str, material: str) -> None:
    async with ctx.lab.spool() as spool:
        await spool.write(picture())
        await matters.attach(ctx, who, number, material, spool, f"{material}-{who.key[:6]}")


async def _registered(ctx: Context, order: int) -> Citizen:
    """Somebody with an account and no right to licence business."""
    number = id_number(order + 50)
    key = ctx.stores.vault.id_key(number)
    await ctx.stores.sessions.create(
        NewSession(key, number, "王小明", "13700000000", ctx.now(), "direct")
    )
    return Citizen(key, number, "王小明", "13700000000", frozenset({Tier.DIRECT}))


@pytest.mark.gen_test(timeout=120)
async def test_the_agent_submits_and_the_officer_sees_who_applied_for_whom(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        principal, agent = await citizen(ctx, 1), await _registered(ctx, 2)
        grant = (await live(ctx, principal, agent)).id
        view = await begun(ctx, agent, grant)
        assert view.acting is not None and view.acting.mandate == grant
        assert {m.name for m in view.materials} == {"id_card", "reason_proof", "agent_id_card"}
        await _filled(ctx, agent, view.number, "id_card", "reason_proof")
        assert await refusal_of(matters.submit(ctx, agent, view.number, "s")) == "materials-missing"
        await _attach(ctx, agent, view.number, "agent_id_card")
        done = await matters.submit(ctx, agent, view.number, "submit")
        assert done.state == "submitted" and done.timeline[-1].actor == "代理人"

        reviewer = await officer(ctx)
        (row,) = (await worklist.page(ctx, reviewer)).rows
        assert row.by_agent
        shown = await desk.open_matter(ctx, reviewer, view.number)
        assert shown.applicant.id_number == principal.id_number
        assert shown.agent is not None and shown.agent.person.id_number == agent.id_number
        assert (shown.agent.relation, shown.agent.standing) == ("子女", "有效")
        assert [e.text for e in shown.agent.log] == [
            "委托人提出委托，验证码核对无误",
            "代理人确认接受",
        ]
        assert {n.reader for n in shown.view.notices} == {"申请人", "代理人"}
        looks = ctx.stores.database["access_log"].find({"run": {"$gt": ""}})
        assert "open-agent" in [look["action"] async for look in looks]


@pytest.mark.gen_test(timeout=120)
async def test_it_is_the_principals_matter_from_the_beginning(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        principal, agent = await citizen(ctx, 1), await citizen(ctx, 2)
        grant = (await live(ctx, principal, agent)).id
        number = (await begun(ctx, agent, grant)).number
        assert (await begun(ctx, agent, grant)).number == number
        for who in (principal, agent):
            assert await _going(ctx, who) == [number]
        # One place, the principal's; the agent's own is his own.
        assert await draft(ctx, principal) == number
        own = await draft(ctx, agent, "own")
        assert own != number
        await _filled(ctx, agent, number)
        seen = await matters.view(ctx, principal, number)
        assert seen.form["reason"] == "abroad"
        # His agent's proof of identity is not his to give.
        assert "material:agent_id_card" not in {d.part for d in seen.missing}
        assert "agent_id_card" not in {m.name for m in seen.materials}
        theirs = await matters.view(ctx, agent, number)
        assert "material:agent_id_card" in {d.part for d in theirs.missing}

        await mandates.end(ctx, principal, grant, "revoke")
        for deed in (
            matters.view(ctx, agent, number),
            matters.fill(ctx, agent, number, {"note": "x"}, "f2"),
            matters.submit(ctx, agent, number, "s2"),
            matters.withdraw(ctx, agent, number, "w2"),
            matters.urge(ctx, agent, number, "u2"),
            _attach(ctx, agent, number, "id_card"),
            matters.photo(ctx, agent, number, "p"),
        ):
            assert await refusal_of(deed) == "not-found"
        assert await _going(ctx, agent) == [own]
        assert await refusal_of(begun(ctx, agent, grant)) == "mandate-not-live"
        for material in ("id_card", "reason_proof"):
            await _attach(ctx, principal, number, material)
        done = await matters.submit(ctx, principal, number, "submit")
        assert done.state == "submitted"
        await matters.withdraw(ctx, principal, number, "away")
        # The place was the principal's, and is free again.
        assert await draft(ctx, principal, "anew") != number


@pytest.mark.gen_test(timeout=120)
async def test_a_mandate_gives_no_right_its_principal_does_not_have(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        plain, agent = await _registered(ctx, 1), await citizen(ctx, 2)
        grant = (await live(ctx, plain, agent)).id
        # The agent is face-signed himself; it does not help.
        assert await refusal_of(begun(ctx, agent, grant)) == "not-allowed-tier"
        other = await citizen(ctx, 3)
        vehicles = (await live(ctx, other, agent, "v", businesses=("vehicle",))).id
        assert await refusal_of(begun(ctx, agent, vehicles)) == "mandate-not-covering"
        asked = matters.open_draft(ctx, agent, "register-face-sign", "c", "mini", vehicles)
        assert await refusal_of(asked) == "agent-not-online"
        one = (await live(ctx, await citizen(ctx, 4), agent, "one", (), (SERVICE,))).id
        assert (await begun(ctx, agent, one)).state == "draft"


@pytest.mark.gen_test(timeout=120)
async def test_nobody_else_can_use_a_mandate_and_no_offer_is_one(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        principal, agent, third = [await citizen(ctx, n) for n in (1, 2, 3)]
        grant = (await offered(ctx, principal, agent)).id
        assert await refusal_of(begun(ctx, agent, grant)) == "mandate-not-live"
        await mandates.accept(ctx, agent, grant, "accept")
        number = (await begun(ctx, agent, grant)).number
        for who in (third, principal):
            assert await refusal_of(begun(ctx, who, grant)) == "mandate-not-live"
        for name in ("x", "", grant[:-4] + "0002", "x" * 43 + "-0001"):
            assert await refusal_of(begun(ctx, agent, name)) == "mandate-not-live"
        for deed in (
            matters.view(ctx, third, number),
            matters.withdraw(ctx, third, number, "w"),
            mandates.view(ctx, third, grant),
            mandates.accept(ctx, third, grant, "a"),
            mandates.end(ctx, third, grant, "e"),
        ):
            assert await refusal_of(deed) == "not-found"
        # A mandate given anew does not open what was begun under the old one.
        await mandates.end(ctx, agent, grant, "enough")
        again = (await live(ctx, principal, agent, "again")).id
        assert await refusal_of(matters.view(ctx, agent, number)) == "not-found"
        assert await refusal_of(begun(ctx, agent, again, "b")) == "subject-under-way"


@pytest.mark.gen_test(timeout=120)
async def test_the_agent_learns_of_the_principals_own_draft_only_that_there_is_one(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        principal, agent = await citizen(ctx, 1), await citizen(ctx, 2)
        grant = (await live(ctx, principal, agent)).id
        number = await draft(ctx, principal)
        assert await refusal_of(begun(ctx, agent, grant)) == "subject-under-way"
        assert await refusal_of(matters.view(ctx, agent, number)) == "not-found"


@pytest.mark.gen_test(timeout=120)
async def test_both_at_once_have_one_matter(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        principal, agent = await citizen(ctx, 1), await citizen(ctx, 2)
        grant = (await live(ctx, principal, agent)).id

        async def by_agent(n: int) -> str:
            try:
                return (await begun(ctx, agent, grant, f"b{n}")).number
            except Refusal as refusal:
                return refusal.code

        found = await asyncio.gather(
            *(by_agent(n) for n in range(3)), *(draft(ctx, principal, f"d{n}") for n in range(3))
        )
        numbers = set(found) - {"subject-under-way"}
        assert len(numbers) == 1, found
        assert await _going(ctx, principal) == list(numbers)


@pytest.mark.gen_test(timeout=120)
async def test_both_are_told_until_the_mandate_ends_then_the_principal_alone(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        principal, agent = await citizen(ctx, 1), await citizen(ctx, 2)
        grant = (await live(ctx, principal, agent)).id
        number = (await begun(ctx, agent, grant)).number
        await _filled(ctx, agent, number, "id_card", "reason_proof", "agent_id_card")
        await matters.submit(ctx, agent, number, "submit")
        stored = await ctx.stores.matters.get(number)
        assert stored is not None
        readers = {}
        for notice in stored.notices.values():
            assert notice.state not in FINAL
            reader = await MatterCarrier(stored).reader(ctx, notice)
            assert reader.session is not None
            readers[notice.audience] = reader.session.key
        assert readers == {"applicant": agent.key, "subject": principal.key}
        for who in (agent, principal):
            (told,) = [n for n in await matters.notices(ctx, who) if n.matter == number]
            assert "已提交" in told.text

        await mandates.end(ctx, agent, grant, "enough")
        await matters.withdraw(ctx, principal, number, "away")
        stored = await ctx.stores.matters.get(number)
        assert stored is not None
        told_of = sorted((n.template, n.audience) for n in stored.notices.values())
        assert told_of == [
            ("submitted", "applicant"),
            ("submitted", "subject"),
            ("withdrawn", "subject"),
        ]
        assert number not in {n.matter for n in await matters.notices(ctx, agent)}
        mine = [n for n in await matters.notices(ctx, principal) if n.matter == number]
        assert len(mine) == 2


async def _step_under_way(
    ctx: Context, agent: Citizen, number: str
) -> Callable[[], Awaitable[bool]]:
    """A withdrawal read and decided while the mandate is live, and not written yet."""
    before = (await steps.load(ctx, number)).matter
    service, facts = ctx.book.catalogue[SERVICE], await facts_of(ctx, before)
    decided = decide(service, before, "withdraw", agent.actor, {}, facts, ctx.now(), ctx.book)
    assert isinstance(decided, NewEvent)
    event = Event(f"{number}-0002", decided.type, ctx.now(), agent.actor, "late", decided.data)

    async def write() -> bool:
        return await ctx.stores.matters.append(before, evolve(before, event), Owed())

    return write


@pytest.mark.gen_test(timeout=120)
async def test_what_the_agent_was_about_to_do_loses_to_the_revocation(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        agent = await citizen(ctx, 2)
        for order, end in ((1, mandates.end), (3, _ended_alone)):
            principal = await citizen(ctx, order)
            grant = (await live(ctx, principal, agent, f"give-{order}")).id
            number = (await begun(ctx, agent, grant, f"begin-{order}")).number
            write = await _step_under_way(ctx, agent, number)
            await end(ctx, principal, grant, f"end-{order}")
            # With the mandate alone ended, the withdrawal would be written after all.
            assert await write() is (end is _ended_alone)
            view = await matters.view(ctx, principal, number)
            assert view.state == ("withdrawn" if end is _ended_alone else "draft")


async def _ended_alone(ctx: Context, principal: Citizen, grant: str, cause: str) -> None:
    """The variant without the guard: the matters begun by the mandate do not hear of it."""
    dying = replace(ctx, checkpoint=_die)
    with pytest.raises(RuntimeError):
        await mandates.end(dying, principal, grant, cause)


def _die(point: str) -> None:
    if point == "after-mandate-write":
        raise RuntimeError(point)


@pytest.mark.gen_test(timeout=120)
async def test_a_mandate_that_expires_ends_as_if_it_were_revoked(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        principal, agent = await citizen(ctx, 1), await citizen(ctx, 2)
        grant = (await live(ctx, principal, agent)).id
        number = (await begun(ctx, agent, grant)).number
        assert (await matters.view(ctx, agent, number)).state == "draft"
        ahead = replace(ctx, clock=lambda: ctx.now() + timedelta(days=31))
        assert await refusal_of(matters.view(ahead, agent, number)) == "not-found"
        assert await refusal_of(matters.fill(ahead, agent, number, {}, "f")) == "not-found"
        assert (await matters.view(ahead, principal, number)).state == "draft"
