"""Entering a student, once, whoever does it first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from casework import steps
from casework.access_log import record_look
from casework.context import Context
from casework.enrolments import pictures, schools
from casework.enrolments.amending import put_right
from casework.enrolments.outcome import Enrolled
from casework.facts import account_phone, facts_about, known_names
from casework.numbers import number_for
from casework.officers import Officer
from casework.photos import Prepared, Spool
from rules.enrolments import (
    SERVICE,
    lapsed,
    mismatched,
    photo_problems,
    read_entry,
    same_content,
)
from rules.facts import Facts
from rules.flow import ENDED, decide
from rules.matter import Matter, State
from rules.people import Actor
from rules.refusals import Refusal
from storage.claims import Claim

_TRIES = 8
_SWEEP = Actor("system", "sweep")


@dataclass(frozen=True)
class _By:
    """Who enters somebody, by which action; ``school`` is empty in person, ``office`` reviews."""

    who: Officer
    action: str
    school: str
    office: str


@dataclass(frozen=True)
class _Entry:
    """Who is entered with what: clean values, digests and uploads by material, the names the
    registries know under the ID number, and the phone of his account if he has one."""

    by: _By
    key: str
    form: Mapping[str, str]
    digests: Mapping[str, str]
    uploads: pictures.Pictures
    names: tuple[str, ...]
    account_phone: str
    cause: str

    def given(self, photos: Mapping[str, Any]) -> dict[str, Any]:
        """What the rules decide on."""
        return {
            "applicant": self.key,
            "subject": self.key,
            "office": self.by.office,
            "region": self.by.who.office.region,
            "school": self.by.school,
            "values": self.form,
            "photos": photos,
            "names": self.names,
            "account_phone": self.account_phone,
        }


async def enrol(
    ctx: Context,
    clerk: Officer,
    entry: Mapping[str, str],
    portrait: Spool | None,
    cause: str,
    papers: Mapping[str, Spool] = pictures.NOTHING,
) -> Enrolled:
    """A school enters a student, for review by the vehicle office over it.

    The same person with the same content by the same school gives the enrolment there is, and
    writes nothing; changed content of a returned one puts it right. ``papers`` are the pictures of
    the optional materials. Raises form-incomplete naming every bad part, student-mismatch, the
    conditions of ``register-student``, student-elsewhere, student-not-open, the photo-… refusals,
    role-not-allowed.
    """
    office = await schools.supervisor_of(ctx, clerk)
    by = _By(clerk, "enrol", clerk.office.code, office.code)
    return await _enter(ctx, await _read(ctx, by, entry, pictures.uploads(portrait, papers), cause))


async def enrol_in_person(
    ctx: Context,
    officer: Officer,
    entry: Mapping[str, str],
    portrait: Spool | None,
    cause: str,
    papers: Mapping[str, Spool] = pictures.NOTHING,
) -> Enrolled:
    """A vehicle office enters a student who stands there with his originals: approved at once.

    Raises as ``enrol`` does.
    """
    officer.must("enrol_in_person")
    if officer.office.kind != schools.VEHICLE_OFFICE:
        raise Refusal("role-not-allowed")
    by = _By(officer, "enrol_in_person", "", officer.office.code)
    return await _enter(ctx, await _read(ctx, by, entry, pictures.uploads(portrait, papers), cause))


async def _read(
    ctx: Context, by: _By, entry: Mapping[str, str], uploads: pictures.Pictures, cause: str
) -> _Entry:
    service = ctx.book.catalogue[SERVICE]
    form, problems = read_entry(service, entry, ctx.today())
    problems += photo_problems(service, uploads)
    if problems:
        raise Refusal("form-incomplete", fields=problems)
    key = ctx.stores.vault.id_key(form["id_number"])
    # A refusal may tell that somebody owns a vehicle or holds a licence.
    await record_look(ctx, by.who, "enrol", key, None, ["name", "licence", "vehicles"])
    names = await known_names(ctx, key)
    phone = await account_phone(ctx, key)
    return _Entry(by, key, form, pictures.sources(uploads), uploads, names, phone, cause)


async def _enter(ctx: Context, entry: _Entry) -> Enrolled:
    """Begin the enrolment under the person's claim, or come to terms with the one there is."""
    wanted, begun = await _number(ctx, entry)
    if begun is not None:
        # The same request again, however what it began has fared since.
        return Enrolled(begun.number, begun.state, False)
    prepared: Mapping[str, Prepared] | None = None
    for _ in range(_TRIES):
        claim, now = await ctx.stores.enrolments.get(entry.key), None
        if claim is None:
            await _must_fit(ctx, entry)
            prepared = prepared or await pictures.prepare(ctx, entry.uploads)
            now = ctx.now()
            claim = await ctx.stores.enrolments.claim(entry.key, wanted, now)
            ctx.checkpoint("after-claim")
        stored = await ctx.stores.matters.get(claim.matter)
        if stored is None:
            prepared = prepared or await pictures.prepare(ctx, entry.uploads)
            fresh = now is not None and claim.unconfirmed == now
            made = await _begin(ctx, entry, claim, prepared, fresh=fresh)
            if made is not None:
                return made
        elif stored.matter.applicant == entry.key and not _over(ctx, stored.matter):
            return await _meet(ctx, entry, stored.matter)
        else:
            await _give_back(ctx, claim, stored.matter)
    raise Refusal("busy-try-again")


async def _number(ctx: Context, entry: _Entry) -> tuple[str, Matter | None]:
    """The number this request's matter gets, and the matter when the request began it before. One
    that another matter has by chance is passed over."""
    by, cause = entry.by, entry.cause
    for attempt in range(_TRIES):
        made_from = f"{entry.key}:{by.school or by.office}:{cause}"
        wanted = number_for(ctx.stores.vault, made_from, attempt)
        stored = await ctx.stores.matters.get(wanted)
        if stored is None:
            return wanted, None
        if steps.begun_by(stored.matter, entry.key, cause):
            return wanted, stored.matter
    raise Refusal("busy-try-again")


async def _must_fit(ctx: Context, entry: _Entry) -> None:
    """Refuse before anything is claimed or any picture is worked on."""
    facts = await facts_about(ctx, entry.key, entry.form["id_number"])
    given = entry.given({material: {} for material in entry.uploads})
    decided = _decided(ctx, entry, given, facts)
    if isinstance(decided, Refusal):
        raise decided


def _decided(ctx: Context, entry: _Entry, given: Mapping[str, Any], facts: Facts) -> object:
    by, service = entry.by, ctx.book.catalogue[SERVICE]
    return decide(service, None, by.action, by.who.actor, given, facts, ctx.now(), ctx.book)


async def _begin(
    ctx: Context, entry: _Entry, claim: Claim, prepared: Mapping[str, Prepared], *, fresh: bool
) -> Enrolled | None:
    """Begin the matter a claim is for; None when another was faster with it. ``fresh`` when it was
    claimed this moment: one of before, be it our own, the sweep may be about to give up."""
    if not fresh and not await ctx.stores.enrolments.take_up(claim, ctx.now()):
        return None
    by, service = entry.by, ctx.book.catalogue[SERVICE]
    facts = await facts_about(ctx, entry.key, entry.form["id_number"])
    kept = await pictures.keep(ctx, claim.matter, prepared, entry.digests)
    given = entry.given({material: one.data for material, one in kept.items()})
    matter: Matter | None = None
    try:
        matter = await steps.start(
            ctx, service, by.action, by.who.actor, entry.cause, given, facts, claim.matter
        )
    finally:
        await pictures.settle(ctx, kept, matter.photos if matter else ())
    await ctx.stores.enrolments.confirm(entry.key, claim.matter)
    first = matter.timeline[0]
    if first.actor == by.who.actor and first.cause == entry.cause:
        return Enrolled(matter.number, matter.state, True)
    return None


async def _meet(ctx: Context, entry: _Entry, matter: Matter) -> Enrolled:
    """Somebody is enrolled already: by us with this very content, to be put right, or not ours.

    Who does not know his name does not hear that he is: it is what a new entry would be told.
    """
    by = entry.by
    if matter.school != by.school or (not by.school and matter.office != by.office):
        known = not mismatched(entry.names, entry.form["name"])
        raise Refusal("student-elsewhere" if known else "student-mismatch")
    if same_content(matter, entry.form, entry.digests):
        return Enrolled(matter.number, matter.state, False)
    if matter.state is State.CORRECTION and by.school:
        return await put_right(ctx, by.who, matter, entry.form, entry.uploads, entry.cause)
    raise Refusal("student-not-open", state=ctx.book.texts.say(f"states.{matter.state.value}"))


def _over(ctx: Context, matter: Matter) -> bool:
    ended = matter.state in ENDED
    return ended or (matter.state is State.APPROVED and lapsed(matter, ctx.today()))


async def _give_back(ctx: Context, claim: Claim, matter: Matter) -> None:
    """What a claim is for is over: settle what that owes, and the place is free."""
    if matter.applicant == claim.key and matter.state not in ENDED:
        await steps.take(ctx, matter.number, "lapse", _SWEEP, f"lapse:{matter.number}")
    await steps.apply_owed(ctx, matter.number)
    await ctx.stores.enrolments.release(claim.key, claim.matter)
