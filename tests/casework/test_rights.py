"""No sequence of verbs gives a right the table does not give (issue 3, REQ A8).

A person lives through any sequence of what may happen to him; beside him a record is kept of what
was really proved. After every verb, what he may begin is what ``rules.permissions`` says for that,
and nothing else. A new verb is one function with ``@verb``.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casework import (
    accounts,
    bindings,
    closing,
    codes,
    contacts,
    facesign,
    mandates,
    matters,
    steps,
)
from casework.askers import prover_at
from casework.context import Context
from casework.enrolments import approve_many, leave
from casework.enrolments.licensing import licence_issued
from casework.facts import facts_about
from rules.facts import Facts
from rules.flow import TABLE, decide
from rules.matter import NewEvent, State
from rules.people import Actor, Citizen, Tier
from rules.permissions import PERMISSIONS, may, missing
from rules.refusals import Refusal
from storage.engines import EngineUrls
from tests.casework import mandating
from tests.casework.inside import OFFICE, OTHER, SERVICE, citizen, house, officer
from tests.casework.schools import clerk, enrolled
from tests.casework.test_licence_issues import issue
from tests.desk.town import id_number

CODE = "123456"
GRANTING = {"grant_face_signed", "grant_student", "upgrade_student"}
"""The effects that give a tier."""


@dataclass
class Life:
    """A person and what was proved about him."""

    ctx: Context
    order: int
    turn: int = 0
    phone: str = ""
    account: bool = False
    proved: set[Tier] = field(default_factory=set)
    enrolment: str = ""

    @property
    def number(self) -> str:
        return id_number(self.order)

    @property
    def key(self) -> str:
        return self.ctx.stores.vault.id_key(self.number)

    @property
    def plate(self) -> str:
        return f"豫A{self.order:05d}"

    @property
    def cause(self) -> str:
        return f"life-{self.order}-{self.turn}"

    @property
    def logged_in(self) -> Citizen:
        """Him at a door that knows him by a login, which needs an account."""
        if not self.account:
            raise Refusal("not-logged-in")
        return self.citizen

    @property
    def citizen(self) -> Citizen:
        return Citizen(self.key, self.number, "陈学员", self.phone, frozenset(self.proved))


Verb = Callable[[Life], Awaitable[None]]
VERBS: dict[str, Verb] = {}


def verb(does: Verb) -> Verb:
    """One more thing that may happen. It may be refused; only what succeeds is noted as proved."""
    VERBS[does.__name__] = does
    return does


@verb
async def registers(life: Life) -> None:
    asker = prover_at(life.ctx, f"10.0.{life.order % 250}.1")
    slot = codes.slot(life.ctx, "register", life.key, life.phone, asker)
    await life.ctx.stores.memory.put_code(slot, CODE, 60)
    on_file = await life.ctx.stores.registry.phone_on_file(life.key)
    known = on_file is None or (on_file.name, on_file.phone) == ("陈学员", life.phone)
    await accounts.register(
        life.ctx,
        id_number=life.number,
        name="陈学员",
        phone=life.phone,
        sms_code=CODE,
        region=None,
        wechat=None,
        asker=asker,
        cause=life.cause,
    )
    if known:
        life.proved.add(Tier.DIRECT)
    life.account = True


@verb
async def is_face_signed(life: Life) -> None:
    who = await officer(life.ctx)
    await facesign.face_sign(
        life.ctx, who, id_number=life.number, phone=life.phone, cause=life.cause
    )
    life.proved |= {Tier.FACE_SIGNED} if life.account else {Tier.DIRECT, Tier.FACE_SIGNED}
    life.account = True


@verb
async def goes_to_another_office(life: Life) -> None:
    who = await officer(life.ctx, OTHER)
    await facesign.face_sign(
        life.ctx, who, id_number=life.number, phone=life.phone, cause=life.cause
    )
    raise AssertionError("the wrong office signed him up")


@verb
async def signs_himself_up(life: Life) -> None:
    facts = await facts_about(life.ctx, life.key, life.number)
    given = {"applicant": life.key, "subject": life.key, "channel": "chat"}
    given |= {"id_number": life.number, "name": "陈学员", "phone": life.phone}
    service = life.ctx.book.catalogue["register-face-sign"]
    actor = life.citizen.actor
    await steps.start(life.ctx, service, "face_sign", actor, life.cause, given, facts)
    raise AssertionError("he signed himself up")


@verb
async def buys_a_car(life: Life) -> None:
    await _owned_by(life, life.number, life.phone)


@verb
async def sells_the_car(life: Life) -> None:
    await _owned_by(life, id_number(998), "13899999999")


async def _owned_by(life: Life, owner: str, phone: str) -> None:
    row = {
        "plate": life.plate,
        "kind": "小型汽车",
        "owner_id_number": owner,
        "owner_name": "陈学员",
        "owner_phone": phone,
        "registering_office": OFFICE,
        "status": "正常",
    }
    await life.ctx.stores.registry.upsert_vehicles([row])


@verb
async def is_enrolled(life: Life) -> None:
    done = await enrolled(life.ctx, life.order, cause=life.cause, phone=life.phone)
    life.enrolment = done.number


@verb
async def is_approved(life: Life) -> None:
    if not life.enrolment:
        return
    matter = (await steps.load(life.ctx, life.enrolment)).matter
    await clerk(life.ctx)
    who = await officer(life.ctx)
    wanted = [(life.enrolment, matter.version)]
    done = await approve_many(life.ctx, who, wanted, life.cause)
    if done[0][1] is None and matter.state is State.SUBMITTED:
        life.proved.add(Tier.STUDENT)
        life.account = True


@verb
async def leaves_the_school(life: Life) -> None:
    if not life.enrolment:
        return
    mine = await clerk(life.ctx)
    matter = (await steps.load(life.ctx, life.enrolment)).matter
    session = await life.ctx.stores.sessions.get(life.key)
    phone = session.phone if session else matter.form["phone"]
    slot = codes.desk_slot(life.ctx, "leave", life.key, phone, mine.office.code)
    await life.ctx.stores.memory.put_code(slot, CODE, 60)
    await leave(life.ctx, mine, life.enrolment, CODE, life.cause)
    life.proved.discard(Tier.STUDENT)
    life.enrolment = ""


@verb
async def gets_the_licence(life: Life) -> None:
    await licence_issued(life.ctx, issue(life.ctx, life.order, phone=life.phone))
    if Tier.STUDENT in life.proved:
        life.proved.remove(Tier.STUDENT)
        life.proved.add(Tier.FACE_SIGNED)
        life.enrolment = ""


@verb
async def unbinds_everything(life: Life) -> None:
    for vehicle in await bindings.vehicles(life.ctx, life.logged_in):
        await bindings.unbind_vehicle(life.ctx, life.logged_in, vehicle.id, life.cause + "v")
    await bindings.unbind_licence(life.ctx, life.logged_in, life.cause + "l")


@verb
async def changes_his_phone(life: Life) -> None:
    who = await officer(life.ctx)
    visit = (await contacts.receive(life.ctx, who, life.number)).visit
    if not visit:
        return
    new = f"136{life.turn:02d}{life.order:06d}"
    await contacts.send_code(life.ctx, who, visit, new)
    slot = codes.desk_slot(life.ctx, "contact", life.key, new, visit)
    await life.ctx.stores.memory.put_code(slot, CODE, 60)
    await contacts.confirm(life.ctx, who, visit, code=CODE, checked=contacts.CHECKS)
    if life.account:
        life.phone = new


@verb
async def closes_the_account(life: Life) -> None:
    asker = prover_at(life.ctx, "10.1.0.1")
    session = await life.ctx.stores.sessions.get(life.key)
    phone = session.phone if session else life.phone
    slot = codes.slot(life.ctx, "close", life.key, phone, asker)
    await life.ctx.stores.memory.put_code(slot, CODE, 60)
    who = replace(life.logged_in, phone=phone)
    await closing.close(life.ctx, who, sms_code=CODE, asker=asker, cause=life.cause)
    life.proved.clear()
    life.account = False


@verb
async def is_given_a_mandate(life: Life) -> None:
    giver = await citizen(life.ctx, 997)
    await _mandated(life, giver, life.logged_in)


@verb
async def gives_a_mandate(life: Life) -> None:
    agent = await citizen(life.ctx, 996)
    await _mandated(life, life.logged_in, agent)


async def _mandated(life: Life, giver: Citizen, agent: Citizen) -> None:
    # Codes sent before by other verbs are in nobody's way.
    await life.ctx.stores.memory.outbox.take(100, 0.01)
    await mandating.live(life.ctx, giver, agent, life.cause)


@verb
async def ends_his_mandates(life: Life) -> None:
    await mandates.end_all(life.ctx, life.logged_in, life.cause)


@verb
async def begins_a_draft(life: Life) -> None:
    view = await matters.open_draft(life.ctx, life.logged_in, SERVICE, life.cause, "mini")
    await matters.withdraw(life.ctx, life.logged_in, view.number, life.cause + "w")
    assert Tier.FACE_SIGNED in life.proved


class World:
    """One house for all examples, with a loop of its own: hypothesis knows none."""

    def __init__(self, urls: EngineUrls, database: str, folder: Path) -> None:
        self.runner = asyncio.Runner()
        self.held = AsyncExitStack()
        entering = self.held.enter_async_context(house(urls, database, folder))
        self.ctx: Context = self.runner.run(_awaited(entering))
        self.orders = itertools.count(1)

    def close(self) -> None:
        self.runner.run(self.held.aclose())
        self.runner.close()

    def live(self, names: list[str]) -> set[Tier]:
        """Somebody new lives through these verbs; what is proved of him in the end."""
        return self.runner.run(self._live(names))

    async def _live(self, names: list[str]) -> set[Tier]:
        order = next(self.orders)
        life = Life(self.ctx, order, phone=f"137000{order:05d}")
        person = {"id_number": life.number, "name": "陈学员"}
        await self.ctx.stores.registry.upsert_population([person])
        for life.turn, name in enumerate(names):
            with suppress(Refusal):
                await VERBS[name](life)
            await _only_what_the_table_gives(life, names[: life.turn + 1])
        return life.proved


async def _awaited(entering: Awaitable[Context]) -> Context:
    return await entering


async def _only_what_the_table_gives(life: Life, story: list[str]) -> None:
    facts = await facts_about(life.ctx, life.key, life.number)
    assert facts.tiers == life.proved, story
    for business in PERMISSIONS:
        begun = _begins(life.ctx, facts, business, life.citizen.actor)
        assert begun == may(life.proved, business), (story, business)


def _begins(ctx: Context, facts: Facts, business: str, actor: Actor) -> bool:
    """Whether the table of a matter's life lets him begin a service of this business."""
    service = ctx.book.catalogue[SERVICE]
    who = replace(service.who, business=business)
    service = replace(service, who=who, conditions=())
    given = {"applicant": actor.key, "subject": actor.key, "channel": "mini"}
    decided = decide(service, None, "create", actor, given, facts, ctx.now(), ctx.book)
    if isinstance(decided, Refusal):
        assert decided.code == "not-allowed-tier"
        wanted = [t.value for t in missing(facts.tiers, business)]
        assert decided.params["missing"] == wanted and wanted
    return isinstance(decided, NewEvent)


@pytest.fixture
def world(engine_urls: EngineUrls, mongo_database: str, tmp_path: Path) -> Iterator[World]:
    """The house."""
    made = World(engine_urls, mongo_database, tmp_path)
    yield made
    made.close()


def test_no_sequence_of_verbs_gives_a_right_the_table_does_not(world: World) -> None:
    seen: set[str] = set()

    @settings(
        max_examples=40,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=True,
    )
    @given(st.lists(st.sampled_from(sorted(VERBS)), min_size=1, max_size=9))
    def lives(names: list[str]) -> None:
        seen.update(names)
        world.live(names)

    lives()
    assert seen == set(VERBS)


D, S, F = Tier.DIRECT, Tier.STUDENT, Tier.FACE_SIGNED
STORIES = (
    (
        "buys_a_car registers is_face_signed begins_a_draft sells_the_car is_enrolled is_approved",
        {D, F, S},
    ),
    ("is_enrolled is_approved gets_the_licence begins_a_draft unbinds_everything", {F}),
    ("buys_a_car is_enrolled is_approved", set()),
    ("buys_a_car is_face_signed is_enrolled is_approved leaves_the_school", {D, F}),
    ("is_enrolled is_approved registers changes_his_phone gives_a_mandate", {S, D}),
    ("buys_a_car registers is_face_signed changes_his_phone closes_the_account", set()),
    ("registers is_given_a_mandate begins_a_draft ends_his_mandates gives_a_mandate", {D}),
)


@pytest.mark.parametrize(("story", "proved"), STORIES)
def test_the_stories_that_come_to_mind(world: World, story: str, proved: set[Tier]) -> None:
    assert world.live(story.split()) == proved


def test_no_step_a_citizen_takes_gives_a_tier(world: World) -> None:
    given_by = {
        (step.by, step.event)
        for service in world.ctx.book.catalogue
        for event, kinds in service.effects.items()
        for step in TABLE
        if step.event == event and service.kind in step.kinds and GRANTING & set(kinds)
    }
    assert given_by and not {by for by, _ in given_by} & {"citizen", "school", "system"}
