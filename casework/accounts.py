"""Who a citizen is: registration and login."""

import hashlib
import hmac

from casework.askers import Asker, is_known
from casework.codes import bounded, prove, slot
from casework.context import Context
from casework.enrolments import activate
from casework.enrolments.schools import live
from casework.logins import LoggedIn, account_of_login, issue
from casework.offices import registration_offices
from casework.rebinding import bind_proved
from casework.wechat_bindings import whoami
from casework.wechat_identity import WechatIdentity, account_of, identity_by_code
from rules import names, phones
from rules.flow import ENDED
from rules.id_number import age_on, normalise, region_of
from rules.people import Citizen, Tier
from rules.refusals import Refusal
from storage.session_documents import NewSession, Session

_ELSEWHERE = ""
"""A region no office is of."""


async def register(
    ctx: Context,
    *,
    id_number: str,
    name: str,
    phone: str,
    sms_code: str,
    region: str | None,
    wechat: WechatIdentity | None,
    asker: Asker,
    cause: str,
    privacy_version: str | None = None,
    id_fact: str | None = None,
) -> Citizen:
    """Open the one account of a person, or join it if the same person has opened it already.

    Who holds a licence or vehicle must give the phone on file there; others are checked against
    the population registry (REQ A2). Any mismatch gets one and the same answer.
    Raises the input refusals, guardian-needed, privacy-version-outdated, code-wrong, code-expired,
    too-many-tries, identity-mismatch; id-fact-needed, id-fact-wrong and id-fact-window when
    another WeChat is to take the place of the one the account has.
    """
    number = normalise(id_number, ctx.today())
    must_be_of_age(ctx, number)
    if privacy_version is not None:
        ctx.book.privacy.must_be_current(privacy_version, ctx.today())
    clean_name = names.normalise(name)
    clean_phone = phones.normalise(phone)
    home = ctx.book.regions.of_code(region or region_of(number))
    place = home.code if home else _ELSEWHERE
    key = ctx.stores.vault.id_key(number)
    await bounded(ctx, "registrations", asker)
    there = await ctx.stores.sessions.get_evenly(key)
    # A repeated request is known by its cause and the code together: a cause alone can be guessed.
    proof = _hashed(f"{cause}/{clean_phone}/{sms_code.strip()}")
    if there is None or proof not in there.causes:
        # The same claim from two places at once, or again after a crash, is proved by one code.
        again = int(ctx.figure("sms_code.again_seconds"))
        sent_to = slot(ctx, "register", key, clean_phone, asker)
        await prove(ctx, sent_to, sms_code, claim=clean_name, again=again)
        await _must_be(ctx, key, there, clean_name, clean_phone, place)
    ctx.checkpoint("before-session")
    created = await ctx.stores.sessions.create(
        NewSession(
            key=key,
            id_number=number,
            name=clean_name,
            phone=clean_phone,
            created_at=ctx.now(),
            cause=proof,
        )
    )
    if not created:
        if there is None:
            # Opened by somebody meanwhile: the account's own phone is to be matched, as ever.
            opened = await ctx.stores.sessions.get(key)
            await _must_be(ctx, key, opened, clean_name, clean_phone, place)
        await ctx.stores.sessions.remember(key, proof)
        await _direct_too(ctx, key, clean_name, clean_phone)
    ctx.checkpoint("after-session")
    await _known_from_now(ctx, key, asker)
    if privacy_version is not None:
        channel = wechat.app if wechat else "web"
        await ctx.stores.consents.agree(key, privacy_version, ctx.now(), channel)
    session = await account_of_login(ctx, key)
    if wechat is not None:
        await bind_proved(ctx, session, wechat, id_fact)
    return session.citizen(ctx.today())


async def _direct_too(ctx: Context, key: str, name: str, phone: str) -> None:
    """Who has an account as a student may register directly as well, if the registries know him
    by this name and phone as they must know anybody else."""
    session = await ctx.stores.sessions.get(key)
    if session is None or Tier.DIRECT in session.tiers:
        return
    if await _same_person(ctx, key, None, name, phone):
        await ctx.stores.tiers.grant_direct(key, ctx.now())


def must_be_of_age(ctx: Context, number: str) -> None:
    """Raises guardian-needed for a child: a guardian has to consent, which he does in person
    (个人信息保护法 第三十一条)."""
    years = int(ctx.figure("accounts.own_consent_years"))
    if age_on(number, ctx.today()) < years:
        raise Refusal("guardian-needed", years=years)


async def _known_from_now(ctx: Context, key: str, asker: Asker) -> None:
    if asker.device:
        await ctx.stores.sessions.know_asker(key, asker.device)


async def _must_be(
    ctx: Context, key: str, there: Session | None, name: str, phone: str, region: str
) -> None:
    """Raises identity-mismatch, with the offices of ``region`` that can help.

    Whoever is entered as a student, and has no account yet, is reached by the phone entered: name
    and ID number alone would open his enrolment, and soon his account, to who knows them.
    """
    same = await _same_person(ctx, key, there, name, phone)
    enrolment = await live(ctx, key)
    under_way = enrolment is not None and enrolment.state not in ENDED
    entered = enrolment.form["phone"] if enrolment and under_way else phone
    if not same or (there is None and not _equal(entered, phone)):
        raise Refusal("identity-mismatch", offices=await registration_offices(ctx, region))


async def _same_person(
    ctx: Context, key: str, there: Session | None, name: str, phone: str
) -> bool:
    """Whether name and phone are those of the person with this ID number.

    Everything is read and compared for everybody, so that the time taken tells nothing.
    """
    on_file = await ctx.stores.registry.phone_on_file(key)
    known = await ctx.stores.registry.population_name(key)
    of_account = _both(name, phone, there.name if there else "", there.phone if there else "")
    of_vehicle_office = _both(
        name, phone, on_file.name if on_file else "", on_file.phone if on_file else ""
    )
    of_population = _equal(known or "", name)
    if there is not None:
        return of_account
    if on_file is not None:
        return of_vehicle_office
    return of_population


def _both(name: str, phone: str, known_name: str, known_phone: str) -> bool:
    # Not "and": the second is compared even where the first differs.
    return _equal(known_name, name) & _equal(known_phone, phone)


def _equal(ours: str, theirs: str) -> bool:
    return hmac.compare_digest(ours.encode(), theirs.encode())


async def login(
    ctx: Context,
    *,
    id_number: str,
    sms_code: str,
    wechat: WechatIdentity | None,
    asker: Asker,
    device: str,
    id_fact: str | None = None,
) -> LoggedIn:
    """Log in with the ID number and the code sent to the account's phone. A wrong code and an
    ID number without an account are answered alike.

    With ``wechat`` that account speaks for this person from now on, whoever it spoke for before.
    Raises the ID-number refusals, code-wrong, code-expired, too-many-tries; id-fact-needed,
    id-fact-wrong and id-fact-window when it is to take the place of another WeChat.
    """
    citizen = await prove_person(
        ctx, id_number=id_number, sms_code=sms_code, wechat=wechat, asker=asker, id_fact=id_fact
    )
    return await issue(ctx, citizen.key, "mini" if wechat else "web", device)


async def prove_person(
    ctx: Context,
    *,
    id_number: str,
    sms_code: str,
    wechat: WechatIdentity | None,
    asker: Asker,
    id_fact: str | None = None,
) -> Citizen:
    """What ``login`` does, without a device: for the chat, where the WeChat account is the
    login."""
    key = ctx.stores.vault.id_key(normalise(id_number, ctx.today()))
    session = await ctx.stores.sessions.get_evenly(key)
    # A neighbour's flood does not lock a device out that was here before.
    if not is_known(ctx, session, asker):
        await bounded(ctx, "tries", asker)
    # A date may be asked for afterwards: until then the code serves this WeChat, and no other.
    claim = account_of(ctx, wechat) if wechat else ""
    again = int(ctx.figure("login.fact_seconds")) if wechat else 0
    sent_to = slot(ctx, "login", key, session.phone if session else "", asker)
    await prove(ctx, sent_to, sms_code, claim=claim, again=again)
    if session is None:
        raise Refusal("code-wrong")
    await _known_from_now(ctx, key, asker)
    await activate(ctx, session)
    if wechat is not None:
        await bind_proved(ctx, session, wechat, id_fact)
    return session.citizen(ctx.today())


async def login_wechat(ctx: Context, *, code: str, asker: Asker, device: str) -> LoggedIn:
    """Log in by the code of ``wx.login``. Raises not-registered when the account is not bound,
    wechat-code-invalid, too-many-tries."""
    await bounded(ctx, "wechat", asker)
    identity = await identity_by_code(ctx, code)
    citizen = await whoami(ctx, identity)
    if citizen is None:
        raise Refusal("not-registered")
    return await issue(ctx, citizen.key, identity.app, device)


async def open_session(ctx: Context, citizen: Citizen, app: str, device: str) -> LoggedIn:
    """A token for someone who has just proved who he is by registering."""
    return await issue(ctx, citizen.key, app, device)


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


async def record_consent(
    ctx: Context, citizen: Citizen, template: str, accepted: bool, cause: str
) -> None:
    """One tap of consent is one message (WECHAT.md). Raises consent-unknown."""
    if template not in ctx.book.texts.consent_templates():
        raise Refusal("consent-unknown")
    if accepted:
        await ctx.stores.consents.add_consent(citizen.key, template, cause)
