"""Each service's examples in plain words, run through the table of rules.flow.

A service without a file of examples fails here: nobody could say what it is meant to do.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from casework.effects import KINDS
from rules.book import Rulebook, load_rulebook
from rules.calendar import HOUSE_ZONE
from rules.catalogue import Service
from rules.exams.days import late_plan
from rules.exams.plan import Plan
from rules.exams.standing import stand
from rules.facts import Facts, Licence, Office, Vehicle
from rules.flow import TABLE, begin, decide, evolve
from rules.mandates import Mandate, Standing
from rules.mandates import begin as begin_mandate
from rules.matter import Event, Matter, NewEvent
from rules.people import Actor, Tier
from rules.refusals import Refusal
from tests.services.exam_stories import moment, plan_told, record_told, subject_of

HERE = Path(__file__).parent
NUMBER = "000000000000"
OFFICES = (
    Office("4101-VO", "郑州车管所", "vehicle_office", "4101", "", "", ""),
    Office("4105-VO", "安阳车管所", "vehicle_office", "4105", "", "", ""),
    Office("4101-PS", "文化路派出所", "police_station", "410105", "", "", ""),
)
KNOWN = {"title", "on", "person", "form", "photos", "at", "submit_on", "outcome", "says", "due"}
KNOWN |= {"mandate", "plan", "given", "publishes", "stands"}
"""``mandate``: the person lets an agent, key ``agent``, apply for him. ``plan``: the session of a
test that is booked, told here or by its name in the file's ``plans``; a step may change it.
``publishes``: the office publishes a session that day, instead of anybody asking for anything.
``stands``: where the student stands in each subject.

A step says ``by`` whom, which ``action``, ``on`` which day (if not that of the step before) and
``at`` which hour (else 10:00); ``sittings`` are tests that came into the record meanwhile;
``gives`` is what its event holds, ``due`` the day an answer is due after it."""


@cache
def book() -> Rulebook:
    return load_rulebook()


@dataclass(frozen=True)
class Example:
    service: str
    person: Mapping[str, Any]
    told: Mapping[str, Any]
    plan: Mapping[str, Any] | None = None


def _examples() -> Iterator[Any]:
    for path in sorted(HERE.glob("*.toml")):
        content = tomllib.loads(path.read_text("utf-8"))
        assert content["service"] == path.stem
        for told in content["examples"]:
            person = content["persons"][told["person"]] if "person" in told else {}
            plan = told.get("plan")
            plan = content["plans"][plan] if isinstance(plan, str) else plan
            example = Example(path.stem, person, told, plan)
            yield pytest.param(example, id=f"{path.stem}: {told['title']}")


@pytest.mark.parametrize("example", list(_examples()))
def test_example(example: Example) -> None:
    assert set(example.told) <= KNOWN | {"then"}
    run = Run(example)
    if "publishes" in example.told:
        run.publish()
    elif "outcome" in example.told:
        run.apply()
    for standing in example.told.get("stands", ()):
        run.stand(standing)
    for step in example.told.get("then", ()):
        run.go_on(step)


def test_every_service_has_examples() -> None:
    told = {path.stem for path in HERE.glob("*.toml")}
    assert told == {service.code for service in book().catalogue}


def test_each_file_has_a_good_and_a_bad_outcome() -> None:
    for path in HERE.glob("*.toml"):
        examples = tomllib.loads(path.read_text("utf-8"))["examples"]
        outcomes = {e["outcome"] for e in examples if "outcome" in e}
        outcomes |= {s["outcome"] for e in examples for s in e.get("then", ())}
        refused = outcomes & set(book().texts.refusal_codes())
        assert refused and outcomes - refused, path.name


@dataclass
class Run:
    """One example on its way: the matter so far, and the day."""

    example: Example
    matter: Matter | None = None
    seconds: int = 0
    mandate: Mandate | None = None
    day: date = field(init=False)
    hour: time = time(10, 0)
    plan: Plan | None = None
    sittings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.day = self.example.told["on"]
        self.plan = plan_told(self.example.plan) if self.example.plan else None

    @property
    def service(self) -> Service:
        return book().catalogue[self.example.service]

    def apply(self) -> None:
        """Create, fill, attach and submit; the outcome comes at the step the example names."""
        told = self.example.told
        if self.service.kind == "booking":
            self.go_on({"by": "citizen", "action": "apply", **told})
            return
        at = told.get("at", "submit")
        self.mandate = _mandate(told["mandate"], self.day) if "mandate" in told else None
        citizen = Actor("citizen", "agent" if self.mandate else "key")
        applied = {"applicant": citizen.key, "mandate": self.mandate and self.mandate.grant}
        steps: list[tuple[str, Mapping[str, Any]]] = [("create", {**_applicant(), **applied})]
        if "form" in told:
            steps.append(("fill", {"values": told["form"]}))
        steps += [("attach", {"photo": _photo(m, i)}) for i, m in enumerate(told.get("photos", ()))]
        if at == "submit":
            steps.append(("submit", {}))
        for index, (action, given) in enumerate(steps):
            last = index == len(steps) - 1
            if action == "submit":
                self.day = told.get("submit_on", self.day)
            outcome = self.take(action, citizen, given)
            if not last:
                assert isinstance(outcome, NewEvent), (action, outcome)
                continue
            assert action == at
            self.expect(told, outcome)

    def publish(self) -> None:
        """The office publishes a session, or is told why it may not."""
        told = self.example.told
        day, closes = told["publishes"]["day"], moment(told["publishes"]["closes"])
        refusal = late_plan(day, closes, self.day, book().parameters)
        self.expect(told, refusal or NewEvent("published"))

    def stand(self, told: Mapping[str, Any]) -> None:
        """Where the student stands in a subject on the example's day."""
        facts = self.facts()
        assert facts.record is not None
        found = {
            one.subject: one
            for one in stand(facts.record, facts.licence, book().parameters, self.day)
        }
        one = found[subject_of(told["subject"])]
        assert one.passed_on == told.get("passed")
        assert one.bookable_from == told.get("from")
        assert (one.why.code if one.why else "") == told.get("why", "")
        assert {"used": one.used, "left": one.left}.items() >= _counted(told).items()

    def go_on(self, step: Mapping[str, Any]) -> None:
        """One more step of the story."""
        self.day = step.get("on", self.day)
        self.hour = step.get("at", time(10, 0))
        if self.matter is not None and "plan" in step:
            self.plan = plan_told(step["plan"], self.plan)
        self.sittings += step.get("sittings", ())
        if self.mandate is not None and step["action"] == "revoke":
            self.mandate = replace(self.mandate, state=Standing.REVOKED)
            return
        given = dict(step.get("given", {}))
        if step["action"] == "apply":
            given = {**_applicant(), "wants": "seat", **given}
        if step["action"] == "attach":
            given["photo"] = _photo(step["material"], 99)
        if step["action"] == "face_sign":
            none = {"name": "", "id_number": "", "phone": "", "before": "", "proved": False}
            given = {**_applicant(), **none, **given}
        if step["action"] == "change_contact":
            given = {**_applicant(), "name": "", "id_number": "", "before": "13800000001", **given}
        if step["action"] in ("enrol", "enrol_in_person", "amend"):
            given |= _entry(self.example.person, step)
        actor = Actor(step["by"], step.get("key", "key"), step.get("office"))
        outcome = self.take(step["action"], actor, given)
        self.expect(step, outcome)
        if "binds" in step:
            assert isinstance(outcome, NewEvent)
            assert (outcome.data["licence"] is not None) == step["binds"]["licence"]
            assert outcome.data["vehicles"] == step["binds"]["vehicles"]

    def take(self, action: str, actor: Actor, given: Mapping[str, Any]) -> NewEvent | Refusal:
        self.seconds += 1
        now = datetime.combine(self.day, self.hour, HOUSE_ZONE)
        now += timedelta(milliseconds=self.seconds)
        facts = replace(self.facts(), mandate=self.mandate, plan=self.plan)
        decided = decide(self.service, self.matter, action, actor, given, facts, now, book())
        if isinstance(decided, NewEvent):
            event = Event(f"{NUMBER}-{self.seconds}", decided.type, now, actor, "", decided.data)
            if self.matter is None:
                self.matter = begin(NUMBER, self.service.code, event)
            else:
                self.matter = evolve(self.matter, event)
        return decided

    def facts(self) -> Facts:
        """What is known of the person on the day, with what came into his record meanwhile."""
        facts = _facts(self.example.person, self.day)
        if "record" not in self.example.person:
            return facts
        told = self.example.person["record"]
        sittings = [*told.get("sittings", ()), *self.sittings]
        return replace(facts, record=record_told({**told, "sittings": sittings}))

    def expect(self, told: Mapping[str, Any], outcome: NewEvent | Refusal) -> None:
        got = outcome.code if isinstance(outcome, Refusal) else outcome.type
        assert got == told["outcome"]
        if isinstance(outcome, Refusal):
            worded = book().texts.refusal(outcome)
            assert told.get("says", "") in worded.detail + worded.next
            assert "gives" not in told
        else:
            assert "says" not in told
            assert outcome.data.items() >= told.get("gives", {}).items()
        if "due" in told:
            assert self.matter is not None and self.matter.due is not None
            due = self.matter.due.astimezone(HOUSE_ZONE)
            assert due == datetime.combine(told["due"], time(23, 59, 59), HOUSE_ZONE)


def _counted(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: told[name] for name in ("used", "left") if name in told}


def _applicant() -> dict[str, Any]:
    return {"applicant": "key", "subject": "key", "channel": "chat"}


def _mandate(told: Mapping[str, Any], day: date) -> Mandate:
    """A mandate accepted that morning, until a last day."""
    at = datetime.combine(day, time(8, 0), HOUSE_ZONE)
    data = {
        **{"principal": "key", "agent": "agent", "agent_name": "", "relation": "child"},
        **{"businesses": told.get("businesses", []), "services": told.get("services", [])},
        **{"until": told["until"].isoformat(), "answer_by": at.isoformat()},
    }
    given = begin_mandate("m", Event("m-0001", "given", at, Actor("citizen", "key"), "", data))
    return replace(given, state=Standing.LIVE)


def _entry(person: Mapping[str, Any], step: Mapping[str, Any]) -> dict[str, Any]:
    """What a school or an officer enters about a person; its vehicle office is in 郑州."""
    return {
        **_applicant(),
        "office": step.get("supervisor", "4101-VO"),
        "region": "4101",
        "school": step.get("office", ""),
        "values": {**person.get("entry", {}), **step.get("form", {})},
        "photos": {m: _photo(m, i) for i, m in enumerate(step.get("photos", ["portrait"]))},
        "names": person.get("names", []),
    }


def _photo(material: str, index: int) -> dict[str, Any]:
    return {
        "id": f"p{index}",
        "material": material,
        "media_type": "image/jpeg",
        "width": 1600,
        "height": 1000,
        "bytes": 300_000,
        "thumbnail": f"t{index}",
        "checks": [],
        "source": "",
    }


def _facts(person: Mapping[str, Any], today: date) -> Facts:
    facts = Facts(
        today=today,
        tiers=frozenset(Tier(t) for t in person.get("tiers", ())),
        vehicles=tuple(
            Vehicle(v["plate"], "小型汽车", v["office"], "正常") for v in person.get("vehicles", ())
        ),
        region="4101",
        offices={o.code: o for o in OFFICES},
    )
    told = person.get("licence")
    if told is None:
        return facts
    licence = Licence(
        number="L",
        holder_name="",
        vehicle_class=told.get("class", "C1"),
        status=told["status"],
        issued_on=told["valid_from"],
        valid_from=told["valid_from"],
        valid_until=told["valid_until"],
        issuing_office=told["office"],
        points=told.get("points", 0),
    )
    return replace(facts, licence=licence, licence_bound=told.get("bound", True))


def test_every_effect_a_service_names_can_be_applied() -> None:
    kinds = {k for s in book().catalogue for found in s.effects.values() for k in found}
    assert kinds <= set(KINDS)


def test_every_event_a_service_names_can_happen_to_it() -> None:
    for service in book().catalogue:
        events = {step.event for step in TABLE[service.kind]}
        assert set(service.notices) | set(service.effects) <= events, service.code
