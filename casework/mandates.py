"""Mandates (委托): a citizen lets a relative act for him online, and takes it back at any time.

Whether the relative named has an account is looked up only when he is told
(``casework.carriers``) and when he asks himself: giving a mandate is answered alike for every ID
number and name.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import structlog

from casework import codes, steps
from casework.askers import asker_logged_in
from casework.codes import CodeSent
from casework.context import Context
from casework.mandate_views import MandateView, MyMandates, mandate_view, options
from casework.steps import NOTICE_LANE
from rules import id_number, names
from rules.flow import ENDED
from rules.mandate_flow import Party, decide, mandate_notices
from rules.mandates import Mandate, begin, evolve, pair_of
from rules.matter import Event, NewEvent
from rules.people import Actor, Citizen
from rules.refusals import Refusal
from storage.mandates import StoredMandate

log = structlog.get_logger()

_TRIES = 8
_SYSTEM = Actor("system", "mandates")
_LIST = 50
_ALL = 10_000
"""More than anybody has: whoever ends them ends those he no longer sees, too."""
_DAY = 86400
_PURPOSE = "mandate"


@dataclass(frozen=True)
class NewMandate:
    """A mandate to be: who may act, in what, until which day."""

    agent_id_number: str
    agent_name: str
    relation: str
    businesses: Sequence[str]
    services: Sequence[str]
    until: date


async def send_code(ctx: Context, citizen: Citizen) -> CodeSent:
    """Send the code that confirms a mandate to the principal's own phone. Raises too-many-codes,
    busy-try-again."""
    asker = asker_logged_in(ctx, citizen.key)
    return await codes.send_code(
        ctx, purpose=_PURPOSE, id_number=citizen.id_number, phone=None, asker=asker
    )


async def check(ctx: Context, citizen: Citizen, wish: NewMandate) -> None:
    """Whether such a mandate could be given now, before a code is asked for. Raises what ``give``
    does, save for the code."""
    given = _given(ctx, citizen, wish)
    stored = await ctx.stores.mandates.get(ctx.stores.mandates.pair(citizen.key, given["agent"]))
    _decided(ctx, stored, "give", "principal", given)


async def give(
    ctx: Context, citizen: Citizen, wish: NewMandate, sms_code: str, cause: str
) -> MandateView:
    """Offer a mandate, confirmed by the code sent to the principal's phone; it is live once the
    agent has accepted it. The same request again gives the same mandate.

    Raises id-number-invalid, id-number-15-digits, name-invalid, mandate-to-oneself,
    mandate-agent-too-young, mandate-scope-unfit, mandate-relation-unknown, mandate-until-unfit,
    mandate-under-way, too-many-mandates, code-wrong, code-expired, too-many-tries.
    """
    given = _given(ctx, citizen, wish)
    pair = ctx.stores.mandates.pair(citizen.key, given["agent"])
    stored = await ctx.stores.mandates.get(pair)
    if stored is None or stored.mandate.event_of(cause) is None:
        _decided(ctx, stored, "give", "principal", given)
        await _confirm(ctx, citizen, sms_code, cause)
    mandate = await _write(ctx, pair, "give", "principal", citizen, cause, given)
    return await mandate_view(ctx, mandate, "principal")


async def _confirm(ctx: Context, citizen: Citizen, sms_code: str, cause: str) -> None:
    asker = asker_logged_in(ctx, citizen.key)
    slot = codes.slot(ctx, _PURPOSE, citizen.key, citizen.phone, asker)
    claim = hashlib.sha256(cause.encode()).hexdigest()
    # The same request again, after a lost answer or a crash, is proved by the one code.
    again = int(ctx.figure("sms_code.again_seconds"))
    await codes.prove(ctx, slot, sms_code, claim=claim, again=again)
    most = int(ctx.figure("mandate.given_per_day"))
    if not await ctx.stores.memory.hit(f"mandate:{citizen.key}", most, _DAY):
        raise Refusal("too-many-mandates")


def _given(ctx: Context, citizen: Citizen, wish: NewMandate) -> Mapping[str, Any]:
    number = id_number.normalise(wish.agent_id_number, ctx.today())
    return {
        "principal": citizen.key,
        "agent": ctx.stores.vault.id_key(number),
        "agent_id_number": number,
        "agent_name": names.normalise(wish.agent_name),
        "relation": wish.relation,
        "businesses": list(wish.businesses),
        "services": list(wish.services),
        "until": wish.until,
    }


async def accept(ctx: Context, citizen: Citizen, grant: str, cause: str) -> MandateView:
    """Accept a mandate offered to this citizen. Raises not-found, mandate-not-possible."""
    mandate, party = await _of(ctx, citizen, grant)
    mandate = await _write(ctx, mandate.id, "accept", party, citizen, cause, {}, grant)
    return await mandate_view(ctx, mandate, party)


async def end(ctx: Context, citizen: Citizen, grant: str, cause: str) -> MandateView:
    """The principal revokes it, the agent declines it or gives it up. From then on the agent sees
    nothing that was begun by it; the principal goes on with it. Raises not-found,
    mandate-not-possible."""
    mandate, party = await _of(ctx, citizen, grant)
    mandate = await _ended(ctx, mandate, party, citizen, cause)
    return await mandate_view(ctx, mandate, party)


async def _ended(
    ctx: Context, mandate: Mandate, party: Party, citizen: Citizen, cause: str
) -> Mandate:
    """End it, then have every matter begun by it say so: a step the agent was taking meanwhile,
    decided while the mandate was live, loses its write and is decided again."""
    after = await _write(ctx, mandate.id, "end", party, citizen, cause, {}, mandate.grant)
    ctx.checkpoint("after-mandate-write")
    for row in await ctx.stores.matters.of_principal(mandate.principal, _LIST):
        if row.mandate == mandate.grant and row.state not in ENDED:
            try:
                await steps.take(ctx, row.number, "part", _SYSTEM, f"part:{mandate.grant}")
            except Refusal as refusal:
                # Decided meanwhile: the agent has no step left in it.
                log.info("agent-not-parted", matter=row.number, code=refusal.code)
    return after


async def view(ctx: Context, citizen: Citizen, grant: str) -> MandateView:
    """One mandate given by or to the citizen. Raises not-found."""
    mandate, party = await _of(ctx, citizen, grant)
    return await mandate_view(ctx, mandate, party)


async def mine(ctx: Context, citizen: Citizen) -> MyMandates:
    """The mandates a citizen gave and was given, the last changed first, and what he could give."""
    given = await ctx.stores.mandates.of_principal(citizen.key, _LIST)
    received = await ctx.stores.mandates.of_agent(citizen.key, _LIST)
    mine_too = [s for s in received if _is_party(s.mandate, citizen)]
    return MyMandates(
        given=[await mandate_view(ctx, s.mandate, "principal") for s in given],
        received=[await mandate_view(ctx, s.mandate, "agent") for s in mine_too],
        options=options(ctx),
    )


async def end_all(ctx: Context, citizen: Citizen, cause: str) -> int:
    """End every mandate of a citizen who closes his account; how many there were."""
    received = await ctx.stores.mandates.of_agent(citizen.key, _ALL)
    given = await end_given(ctx, citizen, cause)
    return given + await _end_each(ctx, citizen, received, cause)


async def end_given(ctx: Context, citizen: Citizen, cause: str) -> int:
    """End every mandate a citizen gave: who shows another phone at the window did not confirm them,
    the former phone did; how many there were."""
    found = await ctx.stores.mandates.of_principal(citizen.key, _ALL)
    return await _end_each(ctx, citizen, found, cause)


async def _end_each(
    ctx: Context, citizen: Citizen, found: Sequence[StoredMandate], cause: str
) -> int:
    ended = 0
    for mandate in (s.mandate for s in found):
        party: Party = "principal" if mandate.principal == citizen.key else "agent"
        if isinstance(decide(mandate, "end", party, {}, ctx.now(), ctx.book), NewEvent):
            await _ended(ctx, mandate, party, citizen, cause)
            ended += 1
    return ended


def _is_party(mandate: Mandate, citizen: Citizen) -> bool:
    """Whether the mandate is this citizen's: an agent is named by ID number and by name."""
    if mandate.principal == citizen.key:
        return True
    return mandate.agent == citizen.key and mandate.agent_name == citizen.name


async def _of(ctx: Context, citizen: Citizen, grant: str) -> tuple[Mandate, Party]:
    """The mandate of that grant and the citizen's part in it; a strangers' one, and one that names
    him wrongly, is ``not-found``, as is a grant there is a newer one of."""
    stored = await ctx.stores.mandates.get(pair_of(grant))
    if stored is None or not _is_party(stored.mandate, citizen) or stored.mandate.grant != grant:
        raise Refusal("not-found")
    return stored.mandate, "principal" if stored.mandate.principal == citizen.key else "agent"


async def _write(
    ctx: Context,
    pair: str,
    action: str,
    party: Party,
    citizen: Citizen,
    cause: str,
    given: Mapping[str, Any],
    grant: str = "",
) -> Mandate:
    """Decide and write one event; whoever lost the write decides again on the new version."""
    for _ in range(_TRIES):
        stored = await ctx.stores.mandates.get(pair)
        if stored is not None and stored.mandate.event_of(cause) is not None:
            return stored.mandate
        if grant and (stored is None or stored.mandate.grant != grant):
            raise Refusal("not-found")
        decided = _decided(ctx, stored, action, party, given)
        version = stored.mandate.version + 1 if stored else 1
        event = Event(
            f"{pair}-{version:04d}", decided.type, ctx.now(), citizen.actor, cause, decided.data
        )
        after = evolve(stored.mandate, event) if stored else begin(pair, event)
        if await _stored(ctx, stored, after, event):
            # The next round reads it as it was kept, times to the millisecond.
            await ctx.stores.memory.wake(NOTICE_LANE)
    raise Refusal("busy-try-again")


async def _stored(ctx: Context, before: StoredMandate | None, after: Mandate, event: Event) -> bool:
    notices = mandate_notices(event)
    if before is None:
        return await ctx.stores.mandates.insert(after, notices)
    return await ctx.stores.mandates.append(before.mandate, after, notices)


def _decided(
    ctx: Context,
    stored: StoredMandate | None,
    action: str,
    party: Party,
    given: Mapping[str, Any],
) -> NewEvent:
    mandate = stored.mandate if stored else None
    decided = decide(mandate, action, party, given, ctx.now(), ctx.book)
    if isinstance(decided, Refusal):
        raise decided
    return decided
