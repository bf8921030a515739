"""SMS codes: asked for within limits, tried a few times; the answers tell nobody who is registered.

A code belongs to its asker (``casework.askers``): what others try or use up never reaches it. For
every ID number, known or not, the same is read, counted, kept and handed to the worker.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from casework.askers import Asker, is_known
from casework.context import Context
from rules import phones
from rules.id_number import normalise
from rules.masking import mask_phone
from rules.refusals import Refusal
from storage.outbox import CodeJob

_PERIODS = (("minute", 60), ("hour", 3600), ("day", 86400))
_HOUR = 3600

Limit = tuple[str, int, int]
"""What is counted, how many there may be, within how many seconds."""


@dataclass(frozen=True)
class CodeSent:
    """An SMS code is on its way, if there is somebody to send it to; the phone is masked.

    ``challenge``: to be sent with the code, so that it proves itself from another network too,
    and kept for the next time.
    """

    minutes: int
    phone: str
    hint: str
    challenge: str


async def send_code(
    ctx: Context, *, purpose: str, id_number: str, phone: str | None, asker: Asker
) -> CodeSent:
    """Have the worker send a six-digit code by SMS.

    For ``register`` it goes to the phone given: whoever reads it has that phone, and whether it
    is the one on file is only answered afterwards. For anything else it goes to the phone of the
    account. The answer is the same whether there is an account and whether its phone is full.
    Raises id-number-invalid, phone-invalid, too-many-codes, busy-try-again.
    """
    key = ctx.stores.vault.id_key(normalise(id_number, ctx.today()))
    minutes = int(ctx.figure("sms_code.life_minutes"))
    wanted = phones.normalise(phone or "") if purpose == "register" else ""
    session = await ctx.stores.sessions.get_evenly(key)
    on_account = session.phone if session else ""
    target = wanted or on_account
    # Known only for the account's own phone: nobody uses up another's reserve with his account.
    known = target == on_account and is_known(ctx, session, asker)
    allowed = await _within_limits(ctx, purpose, key, target, asker, known)
    code, until = ctx.ids.digits(6), ctx.now().timestamp() + minutes * 60
    sent_to = target if allowed else ""
    # Where nothing is sent something is kept all the same, so that guessing finds the same answers
    # everywhere; but nothing that six digits could be.
    kept = code if sent_to else ctx.ids.token()
    await ctx.stores.memory.put_code(slot(ctx, purpose, key, target, asker), kept, minutes * 60)
    await ctx.stores.memory.outbox.put(CodeJob(sent_to, purpose, code, minutes, until))
    shown = mask_phone(wanted) if wanted else ctx.book.texts.say("accounts.phone_on_account")
    hint = ctx.book.texts.say("accounts.code_hint")
    return CodeSent(minutes, shown, hint, asker.challenge)


def slot(ctx: Context, purpose: str, key: str, phone: str, asker: Asker) -> str:
    """Where a code is kept: for one purpose, one person, one phone and one asker."""
    return f"{purpose}:{key}:{ctx.stores.vault.phone_key(phone)}:{asker.mark}"


async def _within_limits(
    ctx: Context, purpose: str, key: str, target: str, asker: Asker, known: bool
) -> bool:
    """Whether the phone may have one more code. Raises what the caller may be told.

    Who is known has a share of his own, which strangers cannot use up; beyond it he counts as one.
    A stranger is only refused for what he did himself. That others asked for this ID number, or
    that the phone is full, is no refusal: it would tell who is expected to log in, and whose phone
    it is. ID numbers are counted by purpose: codes for registering do not keep the account's owner
    from logging in.
    """
    if known and await _within_reserve(ctx, purpose, key, target):
        return True
    take = ctx.stores.memory.take
    # First, so that who is over his limit uses up nobody's codes.
    most = int(ctx.figure("sms_code.per_address_hour"))
    if not await ctx.stores.memory.hit(f"code:address:{asker.place}", most, _HOUR):
        raise Refusal("too-many-codes")
    everybody = ("code:strangers", int(ctx.figure("sms_code.strangers_per_minute")), 60)
    mine = _limits(ctx, f"id:{purpose}:{key}:{asker.mark}", "strangers")
    full = await take([everybody, *mine])
    if full == everybody[0]:
        raise Refusal("busy-try-again")
    if full:
        raise Refusal("too-many-codes")
    room = not await take(_shared(ctx, purpose, key, target, "strangers"))
    if known and not room:
        raise Refusal("too-many-codes")
    return room


def _shared(ctx: Context, purpose: str, key: str, target: str, share: str) -> list[Limit]:
    """What all who ask for one person or one phone use up together. Who has no account has no
    phone: a counter of his own stands in for it."""
    phone = ctx.stores.vault.phone_key(target or key)
    return [
        *_limits(ctx, f"id:{purpose}:{key}", share),
        *_limits(ctx, f"phone:{phone}", share),
    ]


async def _within_reserve(ctx: Context, purpose: str, key: str, target: str) -> bool:
    """Count one in the share of who is known; False when its hour or day is used up. Raises
    too-many-codes when the phone got one in this very minute."""
    full = await ctx.stores.memory.take(_shared(ctx, purpose, key, target, "known"))
    if full.endswith(":minute"):
        raise Refusal("too-many-codes")
    return not full


def _limits(ctx: Context, name: str, share: str) -> Sequence[Limit]:
    """The gateway's limits, parted between strangers and who is known. The minute is not parted:
    the gateway takes one code a minute, whoever asked."""
    found: list[Limit] = []
    for period, seconds in _PERIODS:
        most = int(ctx.figure(f"sms_code.per_{period}"))
        whose = "all"
        if period != "minute":
            reserved = int(ctx.figure(f"sms_code.reserved_{period}"))
            most, whose = (reserved if share == "known" else most - reserved), share
        found.append((f"code:{name}:{whose}:{period}", most, seconds))
    return found


async def send_to_phone(ctx: Context, *, purpose: str, key: str, phone: str, asker: str) -> int:
    """Have the worker send a code to a phone on file because somebody with a login of his own at
    the desk asks for it; for how many minutes it is good. It is proved in the ``desk_slot``.

    Raises too-many-codes. Counted with the phone's other codes, in the share of strangers.
    """
    minutes = int(ctx.figure("sms_code.life_minutes"))
    if await ctx.stores.memory.take(_shared(ctx, purpose, key, phone, "strangers")):
        raise Refusal("too-many-codes")
    code = ctx.ids.digits(6)
    place = desk_slot(ctx, purpose, key, phone, asker)
    await ctx.stores.memory.put_code(place, code, minutes * 60)
    until = ctx.now().timestamp() + minutes * 60
    await ctx.stores.memory.outbox.put(CodeJob(phone, purpose, code, minutes, until))
    return minutes


def desk_slot(ctx: Context, purpose: str, key: str, phone: str, asker: str) -> str:
    """Where a code asked for at the desk is kept: for one office and purpose."""
    return f"desk:{purpose}:{key}:{ctx.stores.vault.phone_key(phone)}:{asker}"


async def bounded(ctx: Context, what: str, asker: Asker) -> None:
    """Count one of ``what`` (tries, wechat, registrations) in the hour of its place. Raises
    too-many-tries."""
    most = int(ctx.figure(f"login.{what}_per_address_hour"))
    if not await ctx.stores.memory.hit(f"login:{what}:{asker.place}", most, _HOUR):
        raise Refusal("too-many-tries")


async def prove(ctx: Context, key: str, code: str, *, claim: str = "", again: int = 0) -> None:
    """Try the code in a ``slot``; for ``again`` seconds after its use it still proves the same
    ``claim``. Raises code-wrong, code-expired, too-many-tries."""
    most = int(ctx.figure("sms_code.tries"))
    memory = ctx.stores.memory
    match await memory.check_code(key, code.strip(), most, claim=claim, again=again):
        case "ok":
            return
        case "expired":
            raise Refusal("code-expired")
        case "too_many":
            raise Refusal("too-many-tries")
        case _:
            raise Refusal("code-wrong")
