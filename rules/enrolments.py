"""Enrolling driving students (驾考学员注册): what must hold before each step, beside rules.guards.

A school's clerk or a vehicle office's officer enters the student; never the citizen himself. The
matter's applicant is the student; ``school`` is the office code of his school, empty for who was
enrolled in person.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from rules.calendar import HOUSE_ZONE
from rules.catalogue import Service
from rules.conditions import unmet
from rules.deadlines import add_years
from rules.exams.moving import move_refused
from rules.forms import read_values
from rules.guards import due_of, labels, other_office
from rules.id_number import birth_date
from rules.matter import Matter
from rules.openings import not_open
from rules.refusals import Refusal
from rules.requests import Request
from rules.vehicle_classes import CLASSES, classes_of

SERVICE = "register-student"
PORTRAIT = "portrait"
_ADDED = "added"
_COMPLETE, _NOT_COMPLETE = {"exams_passed"}, {"exams_reopened", "exams_voided"}


def read_entry(
    service: Service, entry: Mapping[str, str], today: date
) -> tuple[dict[str, str], list[dict[str, str]]]:
    """A whole entry, read: (values to keep, problems as ``{part, label, reason}``). What is
    required and not given is a problem too."""
    asked = {f.name: entry.get(f.name, "") for f in service.fields}
    return read_values(service, {**asked, **entry}, today)


def photo_problems(service: Service, photos: Mapping[str, Any]) -> list[dict[str, str]]:
    """The materials that are required and of which no picture is given, as problems."""
    return [
        {"part": f"material:{m.name}", "label": m.label, "reason": f"请上传{m.label}"}
        for m in service.materials
        if m.required and m.name not in photos
    ]


def may_enrol(request: Request) -> Mapping[str, Any] | Refusal:
    """A school enters a student, whole and at once; the vehicle office over it reviews.

    ``given``: applicant, subject, office, region, school, values, photos by material, names: those
    the registries know under the ID number.
    """
    entered = _entered(request)
    if isinstance(entered, Refusal):
        return entered
    return {**entered, "school": request.given["school"], "due": due_of(request)}


def may_enrol_in_person(request: Request) -> Mapping[str, Any] | Refusal:
    """A vehicle office enters a student who stands there with his originals: approved at once."""
    entered = _entered(request)
    if isinstance(entered, Refusal):
        return entered
    until = permit_until(request, entered["form"])
    return {**entered, "due": None, "until": until.isoformat()}


def _entered(request: Request) -> Mapping[str, Any] | Refusal:
    service, given, today = request.service, request.given, request.facts.today
    form, problems = read_entry(service, given["values"], today)
    problems += photo_problems(service, given["photos"])
    if problems:
        return Refusal("form-incomplete", fields=problems)
    closed = not_open(service, today, given["region"], request.book.texts)
    if closed is not None:
        return closed
    refusal = _unfit(request, form, given["office"])
    if refusal is not None:
        return refusal
    return {
        "applicant": given["applicant"],
        "subject": given["subject"],
        "office": given["office"],
        "channel": "desk",
        "form": form,
        "photos": list(given["photos"].values()),
    }


def mismatched(known: Iterable[str], name: str) -> bool:
    """Whether a registry knows the person by another name than the one given."""
    return any(one != name for one in known)


def _unfit(request: Request, form: Mapping[str, str], office: str) -> Refusal | None:
    """The person first: nothing of his record shows to who does not know his name."""
    if mismatched(request.given["names"], form["name"]):
        return Refusal("student-mismatch")
    # Somebody with his name and number may have opened it by another phone: the licence would
    # give that phone face-signed rights (REQ A6).
    if request.given.get("account_phone", form["phone"]) not in ("", form["phone"]):
        return Refusal("student-phone-differs")
    found = unmet(request.service, request.as_submitted, form, request.book.parameters)
    if found:
        return found[0]
    return _elsewhere(request, form, office)


def _elsewhere(request: Request, form: Mapping[str, str], office: str) -> Refusal | None:
    """A class is added where the licence was issued (162令 第二十二条第五项)."""
    licence = request.facts.licence
    if form["application"] != _ADDED or licence is None or licence.issuing_office == office:
        return None
    known = request.facts.offices.get(licence.issuing_office)
    return Refusal("added-elsewhere", offices=[known] if known else [])


def own_student(request: Request) -> Refusal | None:
    """Another school's student does not exist for this one."""
    school = request.present.school
    return None if school and request.actor.office == school else Refusal("not-found")


def amended(request: Request) -> Mapping[str, Any] | Refusal:
    """The school puts right what the officer named, all of it, and nothing else (REQ D5)."""
    refusal = own_student(request)
    if refusal is not None:
        return refusal
    matter, given = request.present, request.given
    values, problems = read_values(request.service, given["values"], request.facts.today)
    if problems:
        return Refusal("form-incomplete", fields=problems)
    photos: Mapping[str, Any] = given["photos"]
    changed = {f"field:{n}" for n, v in values.items() if v != matter.form.get(n, "")}
    changed |= {f"material:{n}" for n, p in photos.items() if not same_photo(matter, n, p)}
    named = {d.part for d in matter.defects}
    closed = sorted(changed - (named - {"field:id_number"}))
    if closed:
        # Another ID number is another person.
        return Refusal("part-not-open", part=labels(request.service, closed)[0])
    touched = {f"field:{n}" for n in values} | {f"material:{n}" for n in photos}
    left = [d.part for d in matter.defects if d.part not in touched]
    if left:
        return Refusal("correction-incomplete", parts=labels(request.service, left))
    form = {**matter.form, **values}
    unfit = _unfit(request, form, matter.office or "")
    if unfit is not None:
        return unfit
    new = [p for n, p in photos.items() if f"material:{n}" in changed]
    return {"values": values, "photos": new, "due": due_of(request)}


def same_photo(matter: Matter, material: str, photo: Mapping[str, Any]) -> bool:
    """Whether this very picture is in the matter already."""
    return any(p.source == photo["source"] for p in matter.photos_of(material) if p.source)


def same_content(matter: Matter, form: Mapping[str, str], sources: Mapping[str, str]) -> bool:
    """Whether an entry, its pictures named by their digests, says what the matter says."""
    return dict(matter.form) == dict(form) and all(
        any(p.source == source for p in matter.photos_of(material))
        for material, source in sources.items()
    )


def approval(request: Request) -> Mapping[str, Any] | Refusal:
    """The officer's own office. The student's rights end with the learner permit."""
    refusal = other_office(request)
    if refusal is not None:
        return refusal
    until = permit_until(request, request.present.form)
    return {"note": request.given.get("reason", ""), "until": until.isoformat()}


def permit_until(request: Request, form: Mapping[str, str]) -> date:
    """The last day of a learner permit issued today. The permit itself is issued later, when
    subject one is passed; until its day is known a student counts from the approval."""
    return permit_end(request, form, request.facts.today)


def permit_end(request: Request, form: Mapping[str, str], issued: date) -> date:
    """The last day a learner permit issued on a day can have: three years, but not beyond the age
    up to which the class may be applied for (162令 第四十一条)."""
    last = add_years(issued, int(request.figure("student.permit_years")))
    if CLASSES[form["vehicle_class"]].ages == "small":
        return last
    most = int(request.figure("student.max_age"))
    # 60周岁以下 counts the whole year in which somebody is sixty.
    return min(last, add_years(birth_date(form["id_number"]), most + 1))


def until_of(matter: Matter) -> date | None:
    """The last day of the student's rights: his learner permit's once that is issued; None before
    approval."""
    granted = (
        matter.last("permit_issued") or matter.last("approved") or matter.last("enrolled_in_person")
    )
    return date.fromisoformat(granted.data["until"]) if granted else None


def kept_until(matter: Matter) -> date | None:
    """The last day the enrolment is kept: a permit's end and some days more, for the results of
    its last days; None before approval."""
    permit = matter.last("permit_issued")
    return date.fromisoformat(permit.data["results_until"]) if permit else until_of(matter)


def waits_for_licence(matter: Matter) -> bool:
    """Whether he was told that he has passed everything, and nothing since took that back."""
    said = (e.type for e in reversed(matter.timeline) if e.type in _COMPLETE | _NOT_COMPLETE)
    return next(said, "") in _COMPLETE


def lapsed(matter: Matter, today: date) -> bool:
    """Whether the time for learning is over. Who has passed everything in time waits for his
    licence alone."""
    until = kept_until(matter)
    return until is not None and until < today and not waits_for_licence(matter)


def leaves(request: Request) -> Mapping[str, Any] | Refusal:
    """The school lets its student go; his code was proved before."""
    return own_student(request) or {}


def of_office_alone(matter: Matter, office: str) -> bool:
    """Whether it is the enrolment of a student who came to this vehicle office in person, and is no
    school's student since."""
    return matter.service == SERVICE and matter.office == office and not matter.school


def leaves_at_office(request: Request) -> Mapping[str, Any] | Refusal:
    """The vehicle office lets go who enrolled there in person and is no school's student; his code
    was proved before."""
    if request.present.school:
        return Refusal("not-found")
    return other_office(request) or {}


def transfers(request: Request) -> Mapping[str, Any] | Refusal:
    """The student goes over to the school that acts, and to the vehicle office over it: after
    passing something to another place of testing at most so often (162令 第三十九条)."""
    matter, given = request.present, request.given
    if request.actor.office == matter.school:
        return Refusal("student-here-already")
    parameters, today = request.book.parameters, request.facts.today
    refusal = _elsewhere(request, matter.form, given["office"]) or move_refused(
        matter, given["office"], parameters, today
    )
    if refusal is not None:
        return refusal
    return {"school": given["school"], "office": given["office"]}


def activates(request: Request) -> Mapping[str, Any] | Refusal:
    """The student's own first login."""
    if request.actor.key != request.present.applicant:
        return Refusal("not-found")
    if request.present.last("activated") is not None:
        return Refusal("step-not-possible", state="已登录", action="activate")
    return {}


def lapses(request: Request) -> Mapping[str, Any] | Refusal:
    """The time for learning is over: he may be enrolled anew (162令 第四十一条)."""
    if lapsed(request.present, request.now.astimezone(HOUSE_ZONE).date()):
        return {}
    return Refusal("step-not-possible", state="仍在有效期内", action="lapse")


def licensed(request: Request) -> Mapping[str, Any] | Refusal:
    """The licence issued holds the class he enrolled for: he is a licence holder now (REQ A6).

    A first licence issued before he became a student is a former one, which a file sent again
    names: it is not what he learnt for.
    """
    matter = request.present
    code = matter.form["vehicle_class"]
    if code not in classes_of(request.given["vehicle_class"]):
        return Refusal("licence-of-another-class", vehicle_class=code)
    granted = matter.last("approved") or matter.last("enrolled_in_person")
    since = granted.at.astimezone(HOUSE_ZONE).date() if granted else request.facts.today
    first = matter.form["application"] != _ADDED
    if first and date.fromisoformat(request.given["issued_on"]) < since:
        return Refusal("licence-before-learning")
    return {name: request.given[name] for name in ("licence", "licence_office", "issued_on")}
