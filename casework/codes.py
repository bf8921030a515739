"""SMS codes: sent within limits, tried a few times; the answers tell nobody who is registered."""

from dataclasses import dataclass

import structlog

from casework.context import Context
from notify.outcome import Rejected
from rules import phones
from rules.id_number import normalise
from rules.masking import mask_phone
from rules.refusals import Refusal

log = structlog.get_logger()


@dataclass(frozen=True)
class CodeSent:
    """An SMS code is on its way; the phone is masked."""

    minutes: int
    phone: str


async def send_code(
    ctx: Context, *, purpose: str, id_number: str, phone: str | None, address: str
) -> CodeSent:
    """Send a six-digit code by SMS.

    For ``register`` it goes to the phone given: whoever reads it has that phone, and whether it
    is the one on file is only answered afterwards. For ``login`` it goes to the phone of the
    account; the answer is the same when there is none, so nobody learns who is registered.
    Raises id-number-invalid, phone-invalid, too-many-codes, busy-try-again.
    """
    key = ctx.stores.vault.id_key(normalise(id_number, ctx.today()))
    minutes = int(ctx.figure("sms_code.life_minutes"))
    if purpose == "register":
        target = phones.normalise(phone or "")
        shown = mask_phone(target)
    else:
        session = await ctx.stores.sessions.get(key)
        target = session.phone if session else ""
        shown = ctx.book.texts.say("accounts.phone_on_account")
    allowed = await _within_limits(ctx, purpose, key, target, address)
    code = ctx.ids.digits(6)
    phone_key = ctx.stores.vault.phone_key(target)
    # Kept even where nothing is sent, so that guessing finds the same answers everywhere.
    await ctx.stores.memory.put_code(f"{purpose}:{key}:{phone_key}", code, minutes * 60)
    if not target or not allowed:
        return CodeSent(minutes, shown)
    outcome = await ctx.gateways.sms.send(
        target,
        "SMS_LOGIN_CODE",
        {
            "code": code,
            "minutes": str(minutes),
            "purpose": ctx.book.texts.say(f"accounts.purpose_{purpose}"),
        },
        out_id=ctx.ids.token()[:20],
    )
    if isinstance(outcome, Rejected):
        log.warning("code-not-sent", purpose=purpose, code=outcome.code)
        if purpose == "register":
            raise Refusal("too-many-codes" if "LIMIT" in outcome.code else "busy-try-again")
    return CodeSent(minutes, shown)


async def _within_limits(ctx: Context, purpose: str, key: str, target: str, address: str) -> bool:
    """Whether the phone may have one more code. Raises too-many-codes for what the caller did.

    The address is counted first, so that who is over its limit uses up nobody's codes. ID numbers
    are counted by purpose: codes for registering do not keep the account's owner from logging in.
    At a login a full phone is no refusal: it would tell that the account and its phone exist.
    """
    most = int(ctx.figure("sms_code.per_address_hour"))
    if not await ctx.stores.memory.hit(f"code:address:{address}", most, 3600):
        raise Refusal("too-many-codes")
    if not await _one_more(ctx, f"id:{purpose}:{key}"):
        raise Refusal("too-many-codes")
    if not target or await _one_more(ctx, f"phone:{ctx.stores.vault.phone_key(target)}"):
        return True
    if purpose == "register":
        raise Refusal("too-many-codes")
    return False


async def _one_more(ctx: Context, name: str) -> bool:
    """Whether a limit as the gateway counts them leaves room for one more."""
    for period, seconds in (("minute", 60), ("hour", 3600), ("day", 86400)):
        most = int(ctx.figure(f"sms_code.per_{period}"))
        if not await ctx.stores.memory.hit(f"code:{name}:{period}", most, seconds):
            return False
    return True


async def prove(ctx: Context, key: str, code: str, *, claim: str = "", again: int = 0) -> None:
    """Try a code sent for ``key``; for ``again`` seconds after its use it still proves the same
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
