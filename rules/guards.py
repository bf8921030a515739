"""What must hold before a step of ``rules.flow`` is taken, and what its event then records.

A guard takes a ``Request`` and gives the event's data (plain JSON values; times as ISO 8601) or
a ``Refusal``. One guard a question; figures come from dated parameters.
"""

from collections.abc import Mapping
from datetime import timedelta
from itertools import takewhile
from typing import Any

from rules.acting import may_begin_for
from rules.catalogue import Service
from rules.conditions import unmet
from rules.deadlines import end_of_working_days
from rules.forms import materials_of, missing_parts, read_values
from rules.matter import Matter, State
from rules.openings import not_open
from rules.permissions import tier_refusal
from rules.refusals import Refusal
from rules.requests import Request

_CHANGES = frozenset({"filled", "attached", "detached"})


def may_begin(request: Request) -> Mapping[str, Any] | Refusal:
    """Tier, opening dates and the conditions that can be judged before anything is filled in; of
    the subject, for whom an agent may apply by a mandate."""
    service, facts, given = request.service, request.facts, request.given
    grant = given.get("mandate")
    stranger = may_begin_for(
        service, given["applicant"], given["subject"], grant, facts.mandate, request.now
    )
    if stranger is not None:
        return stranger
    closed = _closed_to(request)
    if closed is not None:
        return closed
    first = unmet(service, facts, {}, request.book.parameters)
    if first:
        return first[0]
    return {
        "applicant": given["applicant"],
        "subject": given["subject"],
        "office": _office(request),
        "channel": given["channel"],
        "mandate": grant,
    }


def _closed_to(request: Request) -> Refusal | None:
    """Why this person may not use the service: his tier, or the service is not open where he is."""
    service, facts = request.service, request.facts
    business = service.who.business
    refusal = tier_refusal(facts.tiers, business, service.title, request.book.texts)
    return refusal or not_open(service, facts.today, facts.region, request.book.texts)


def _office(request: Request) -> str | None:
    # The catalogue names the office by role; the registry knows which one it is.
    if request.service.office.decides == "licence_issuing_office" and request.facts.licence:
        return request.facts.licence.issuing_office
    return request.given.get("office")


def values_fit(request: Request) -> Mapping[str, Any] | Refusal:
    """Form values, each read as people write them; in correction only the parts named."""
    values: Mapping[str, str] = request.given["values"]
    for name in values:
        if not part_open(request.present, f"field:{name}"):
            return Refusal("part-not-open", part=labels(request.service, [f"field:{name}"])[0])
    clean, problems = read_values(request.service, values, request.facts.today)
    if problems:
        return Refusal("form-incomplete", fields=problems)
    merged = {**request.present.form, **clean}
    conflicts = unmet(request.service, request.as_submitted, merged, request.book.parameters)
    if conflicts:
        return conflicts[0]
    return _too_many_changes(request) or {"values": dict(clean)}


def photo_fits(request: Request) -> Mapping[str, Any] | Refusal:
    """The material exists, is open and has room for one more photo."""
    photo: Mapping[str, Any] = request.given["photo"]
    asked = materials_of(request.service, request.present)
    spec = next((m for m in asked if m.name == photo["material"]), None)
    if spec is None:
        return Refusal("not-found")
    if not part_open(request.present, f"material:{spec.name}"):
        return Refusal("part-not-open", part=spec.label)
    if len(request.present.photos_of(spec.name)) >= spec.max_photos:
        return Refusal("photo-limit", material=spec.label, limit=spec.max_photos)
    return _too_many_changes(request) or {"photo": dict(photo)}


def photo_there(request: Request) -> Mapping[str, Any] | Refusal:
    """The photo to be taken away is there and its material is open."""
    wanted = request.given["photo"]
    photo = next((p for p in request.present.photos if p.id == wanted), None)
    if photo is None:
        return Refusal("not-found")
    if not part_open(request.present, f"material:{photo.material}"):
        part = labels(request.service, [f"material:{photo.material}"])[0]
        return Refusal("part-not-open", part=part)
    return _too_many_changes(request) or {"photo": wanted}


def _too_many_changes(request: Request) -> Refusal | None:
    """A matter is one document: between two submissions only so many changes are written to it."""
    changes = takewhile(lambda e: e.type in _CHANGES, reversed(request.present.timeline))
    full = sum(1 for _ in changes) >= int(request.figure("matter.most_changes"))
    return Refusal("too-many-changes") if full else None


def part_open(matter: Matter, part: str) -> bool:
    """In a draft every part is open; in correction only what the officer named (REQ D5)."""
    if matter.state is State.CORRECTION:
        return any(d.part == part for d in matter.defects)
    return matter.state is State.DRAFT


def complete(request: Request) -> Mapping[str, Any] | Refusal:
    """Everything required is there and the conditions hold on the day of submission."""
    missing = _missing(request)
    if missing:
        return Refusal("materials-missing", parts=missing)
    first = may_begin_again(request)
    if first is not None:
        return first
    return {"due": due_of(request)}


def _missing(request: Request) -> list[str]:
    by_agent = request.present.by_agent(request.actor.key)
    found = missing_parts(request.service, request.present, by_agent=by_agent)
    return [d.reason for d in found]


def may_begin_again(request: Request) -> Refusal | None:
    """Tier, opening dates and conditions once more, now with the form: time has passed since the
    draft."""
    closed = _closed_to(request)
    if closed is not None:
        return closed
    found = unmet(request.service, request.facts, request.present.form, request.book.parameters)
    return found[0] if found else None


def corrected(request: Request) -> Mapping[str, Any] | Refusal:
    """Every named part was touched since it was sent back, and nothing required is missing."""
    matter = request.present
    touched: set[str] = set()
    # By their order, not their times: the clocks of two processes may differ.
    for event in takewhile(lambda e: e.type != "sent_back", reversed(matter.timeline)):
        if event.type == "filled":
            touched |= {f"field:{name}" for name in event.data["values"]}
        elif event.type == "attached":
            touched.add(f"material:{event.data['photo']['material']}")
    untouched = [d.part for d in matter.defects if d.part not in touched]
    if untouched:
        return Refusal("correction-incomplete", parts=labels(request.service, untouched))
    missing = _missing(request)
    if missing:
        return Refusal("materials-missing", parts=missing)
    return {"due": due_of(request)}


def labels(service: Service, parts: list[str]) -> list[str]:
    """The citizen's words for parts such as ``field:until`` or ``material:id_card``."""
    words = {f"field:{f.name}": f.label for f in service.fields}
    words |= {f"material:{m.name}": m.label for m in service.materials}
    return [words.get(part, part) for part in parts]


def due_of(request: Request) -> str | None:
    """The end of the time for reviewing, from now; None where the service has none."""
    if request.service.limits.review is None:
        return None
    days = int(request.figure(request.service.limits.review))
    return end_of_working_days(request.now, days).isoformat()


def approval(request: Request) -> Mapping[str, Any] | Refusal:
    """The officer's own office, and the conditions as of the day of submission."""
    refusal = other_office(request)
    if refusal is not None:
        return refusal
    return {"form": dict(request.present.form), "note": request.given.get("reason", "")}


def defects_named(request: Request) -> Mapping[str, Any] | Refusal:
    """One-time complete notice (一次性告知, 162令 第三条): at least one defect, each with
    a reason."""
    refusal = other_office(request)
    if refusal is not None:
        return refusal
    defects: list[Mapping[str, str]] = list(request.given["defects"])
    known = {f"field:{f.name}" for f in request.service.fields}
    known |= {f"material:{m.name}" for m in materials_of(request.service, request.present)}
    if not defects or any(d["part"] not in known or not d["reason"].strip() for d in defects):
        return Refusal("reason-needed")
    return {"defects": [dict(d) for d in defects], "note": request.given.get("reason", "")}


def reason_given(request: Request) -> Mapping[str, Any] | Refusal:
    """A refusal names its reason (行政许可法 第三十八条)."""
    refusal = other_office(request)
    if refusal is not None:
        return refusal
    reason = str(request.given.get("reason", "")).strip()
    return {"reason": reason} if reason else Refusal("reason-needed")


def other_office(request: Request) -> Refusal | None:
    """Why an officer may not decide: it is another office's matter."""
    if request.actor.office == request.present.office:
        return None
    return Refusal("wrong-office", office=request.present.office or "")


def urge_once_a_day(request: Request) -> Mapping[str, Any] | Refusal:
    """Urging (催办) reaches the officer's list; a second time only after the setting's hours."""
    last = request.present.last("urged")
    hours = float(request.figure("matter.urge_interval_hours"))
    if last is not None and (request.now - last.at).total_seconds() < hours * 3600:
        return Refusal("urged-already")
    return {}


def draft_forgotten(request: Request) -> Mapping[str, Any] | Refusal:
    """The system throws a draft away only when nothing happened to it for the setting's time."""
    last = request.present.timeline[-1].at
    days = int(request.figure("retention.draft"))
    if request.now - last < timedelta(days=days):
        return Refusal("step-not-possible", state="草稿", action="expire")
    return {}


def batch_named(request: Request) -> Mapping[str, Any] | Refusal:
    """A decision leaves once, in a named batch."""
    if request.present.last("exported") is not None:
        return Refusal("step-not-possible", state="已导出", action="export")
    return {"batch": request.given["batch"]}


def answer_given(request: Request) -> Mapping[str, Any] | Refusal:
    """An acknowledgement belongs to a decision that left."""
    if request.present.last("exported") is None:
        return Refusal("step-not-possible", state="未导出", action="acknowledge")
    return {"reference": request.given["reference"], "message": request.given.get("message", "")}


def mandate_ended(request: Request) -> Mapping[str, Any] | Refusal:
    """The grant an agent acted by is not live any more; written down once."""
    matter, mandate = request.present, request.facts.mandate
    grant = matter.mandate
    live = grant is not None and mandate is not None and mandate.is_live(grant, request.now)
    if grant is None or live or matter.last("agent_parted") is not None:
        return Refusal("step-not-possible", state="委托有效", action="part")
    return {}


def remind_once(request: Request) -> Mapping[str, Any] | Refusal:
    """The reminder before a granted period ends goes out once."""
    if request.present.last("reminded") is not None:
        return Refusal("step-not-possible", state="已提醒", action="remind")
    return {}
