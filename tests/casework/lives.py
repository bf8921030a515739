"""What may happen to a person: each verb really done, beside a record of what it proved.

A new verb is one function with ``@verb``. It may be refused; only what succeeds is noted.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from casework import (
    accounts,
    closing,
    codes,
    contacts,
    facesign,
    mandates,
    matters,
    steps,
    window_bindings,
)
from casework.askers import prover_at
from casework.context import Context
from casework.enrolments import approve_many, leave
from casework.enrolments.licensing import licence_issued
from casework.facts import facts_about
from casework.mandate_views import MandateView
from rules.matter import State
from rules.people import Citizen, Tier
from rules.refusals import Refusal
from tests.casework import mandating
from tests.casework.inside import OFFICE, OTHER, SERVICE, citizen, officer
from tests.casework.schools import clerk, enrolled
from tests.casework.test_licence_issues import issue
from tests.desk.town import id_number

CODE = "123456"


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
        life.ctx, who, id_number=life.number, phone=life.phone, cause=life.cause, proved=True
    )
    life.proved |= {Tier.FACE_SIGNED} if life.account else {Tier.DIRECT, Tier.FACE_SIGNED}
    life.account = True


@verb
async def goes_to_another_office(life: Life) -> None:
    who = await officer(life.ctx, OTHER)
    await facesign.face_sign(
        life.ctx, who, id_number=life.number, phone=life.phone, cause=life.cause, proved=True
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
    for vehicle in await window_bindings.vehicles(life.ctx, life.logged_in):
        await window_bindings.unbind_vehicle(life.ctx, life.logged_in, vehicle.id, life.cause + "v")
    await window_bindings.unbind_licence(life.ctx, life.logged_in, life.cause + "l")


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


async def _mandated(life: Life, giver: Citizen, agent: Citizen) -> MandateView:
    # Codes sent before by other verbs are in nobody's way.
    await life.ctx.stores.memory.outbox.take(100, 0.01)
    return await mandating.live(life.ctx, giver, agent, life.cause)


@verb
async def ends_his_mandates(life: Life) -> None:
    await mandates.end_all(life.ctx, life.logged_in, life.cause)


@verb
async def begins_a_draft(life: Life) -> None:
    view = await matters.open_draft(life.ctx, life.logged_in, SERVICE, life.cause, "mini")
    await matters.withdraw(life.ctx, life.logged_in, view.number, life.cause + "w")
    assert Tier.FACE_SIGNED in life.proved


@verb
async def goes_on_after_his_mandate_ended(life: Life) -> None:
    giver = await citizen(life.ctx, 997)
    grant = (await _mandated(life, giver, life.logged_in)).id
    view = await matters.open_draft(life.ctx, life.citizen, SERVICE, life.cause, "mini", grant)
    await mandates.end_all(life.ctx, life.citizen, life.cause + "e")
    try:
        # Past the door's own look at him (``matters.owned``): the table must refuse it too.
        values = {"values": {"reason": "abroad"}}
        actor, cause = life.citizen.actor, life.cause + "f"
        await steps.take(life.ctx, view.number, "fill", actor, cause, values)
    except Refusal:
        await matters.withdraw(life.ctx, giver, view.number, life.cause + "w")
    else:
        raise AssertionError("he went on without a mandate")
