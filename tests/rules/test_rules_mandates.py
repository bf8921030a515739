"""No order of giving, accepting, ending, waiting and acting lets anybody do what he may not.

What is expected is kept beside the rules in the plainest way: who accepted what until when, and
which tiers the principal has. Whatever the rules let happen must be allowed by that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rules.acting import audiences, may_see
from rules.book import load_rulebook
from rules.catalogue import Service
from rules.facts import Facts, Licence
from rules.flow import TABLE, decide, evolve
from rules.flow import begin as begin_matter
from rules.mandate_flow import TABLE as MANDATING
from rules.mandate_flow import allowed, delegable, mandate_notices
from rules.mandate_flow import decide as decide_mandate
from rules.mandates import DELEGABLE, Mandate, Standing, begin, replay
from rules.mandates import evolve as evolve_mandate
from rules.matter import Event, Matter, NewEvent
from rules.people import Actor, Tier
from rules.permissions import PERMISSIONS
from rules.refusals import Refusal

BOOK = load_rulebook()
DEFERRAL = BOOK.catalogue["licence-deferral"]
START = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
OFFICE = "4101-VO"
LICENCE = Licence(
    "L", "", "C1", "正常", date(2015, 1, 1), date(2021, 1, 15), date(2027, 1, 15), OFFICE
)
PRINCIPAL, AGENT, THIRD = "principal", "agent", "third"
NUMBERS = {AGENT: "410105198001011017", PRINCIPAL: "410105195001011019"}


def _like(code: str, business: str, agent: str) -> Service:
    who = replace(DEFERRAL.who, business=business, agent=agent)
    return replace(DEFERRAL, code=code, who=who, conditions=())


SERVICES = (
    DEFERRAL,
    _like("plates", "vehicle", "online"),
    _like("in-person", "licence", "window"),
    _like("moving", "household", "online"),
)
STEPS = sorted(
    {
        s.action
        for rows in TABLE.values()
        for s in rows
        if s.by == "citizen" and s.before is not None
    }
)


@dataclass
class Expected:
    """What was agreed, kept without the rules."""

    state: Literal["none", "offered", "live", "over"] = "none"
    grant: str = ""
    scope: frozenset[str] = frozenset()
    until: date = date(2026, 11, 23)
    answer_by: datetime = START


def _given(scope: tuple[str, ...], until: date) -> dict[str, Any]:
    return {
        "principal": PRINCIPAL,
        "agent": AGENT,
        "agent_id_number": NUMBERS[AGENT],
        "agent_name": "王小明",
        "relation": "child",
        "businesses": [s for s in scope if s in PERMISSIONS],
        "services": [s for s in scope if s not in PERMISSIONS],
        "until": until,
    }


class Acting(RuleBasedStateMachine):
    """A principal, an agent and a third person, a mandate and one matter at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.tiers: frozenset[Tier] = frozenset()
        self.mandate: Mandate | None = None
        self.expected = Expected()
        self.grants: list[str] = []
        self.matter: Matter | None = None
        self.service = DEFERRAL
        self.count = 0

    def _today(self) -> date:
        return (self.now + timedelta(hours=8)).date()

    def _live(self, grant: str | None) -> bool:
        e = self.expected
        return e.state == "live" and e.grant == grant and self._today() <= e.until

    def _facts(self, about: str) -> Facts:
        tiers = self.tiers if about == PRINCIPAL else frozenset(Tier)
        return Facts(
            today=self._today(),
            tiers=tiers,
            licence=LICENCE,
            licence_bound=True,
            region="4101",
            mandate=self.mandate,
        )

    # -- the mandate ------------------------------------------------------------------------

    def _mandating(self, action: str, by: Any, given: Mapping[str, Any]) -> bool:
        decided = decide_mandate(self.mandate, action, by, given, self.now, BOOK)
        if isinstance(decided, Refusal):
            assert BOOK.texts.refusal(decided).next
            return False
        version = self.mandate.version + 1 if self.mandate else 1
        event = Event(
            f"m-{version:04d}", decided.type, self.now, Actor("citizen", by), "c", decided.data
        )
        self.mandate = evolve_mandate(self.mandate, event) if self.mandate else begin("m", event)
        assert len({n.id for n in mandate_notices(event)}) == 2
        return True

    @rule(
        scope=st.sampled_from(
            [("licence",), ("vehicle",), ("licence-deferral",), ("household",), ()]
        ),
        days=st.sampled_from([0, 1, 20, 365, 366]),
    )
    def give(self, scope: tuple[str, ...], days: int) -> None:
        until = self._today() + timedelta(days=days)
        e = self.expected
        running = self._live(e.grant) or (
            e.state == "offered" and self.now <= e.answer_by and self._today() <= e.until
        )
        done = self._mandating("give", "principal", _given(scope, until))
        fits = scope not in (("household",), ()) and 0 < days < 366
        assert done == (fits and not running)
        if done:
            assert self.mandate is not None
            self.grants.append(self.mandate.grant)
            answer_by = self.now + timedelta(days=7)
            self.expected = Expected(
                "offered", self.mandate.grant, frozenset(scope), until, answer_by
            )

    @rule()
    def accept(self) -> None:
        e = self.expected
        good = e.state == "offered" and self.now <= e.answer_by and self._today() <= e.until
        assert self._mandating("accept", "agent", {}) == good
        if good:
            e.state = "live"

    @rule(by=st.sampled_from(["principal", "agent"]))
    def end(self, by: str) -> None:
        if self._mandating("end", by, {}):
            self.expected.state = "over"

    # -- the world --------------------------------------------------------------------------

    @rule(days=st.sampled_from([1, 6, 8, 21, 40]))
    def wait(self, days: int) -> None:
        self.now += timedelta(days=days)

    @rule(tiers=st.frozensets(st.sampled_from(sorted(Tier))))
    def be_registered(self, tiers: frozenset[Tier]) -> None:
        self.tiers = tiers

    # -- acting -----------------------------------------------------------------------------

    @rule(
        service=st.sampled_from(SERVICES),
        who=st.sampled_from([PRINCIPAL, AGENT, THIRD]),
        grant=st.sampled_from([None, "latest", "first", "m-0009"]),
    )
    def begin(self, service: Service, who: str, grant: str | None) -> None:
        named = {"latest": self.grants[-1:], "first": self.grants[:1]}.get(grant or "")
        grant = (named or [grant])[0]
        given = {"applicant": who, "subject": PRINCIPAL, "channel": "mini", "mandate": grant}
        actor = Actor("citizen", who)
        facts = self._facts(PRINCIPAL)
        decided = decide(service, None, "create", actor, given, facts, self.now, BOOK)
        if isinstance(decided, Refusal):
            assert BOOK.texts.refusal(decided).next
            return
        assert not PERMISSIONS[service.who.business].isdisjoint(self.tiers)
        if who != PRINCIPAL or grant is not None:
            self._must_be_covered(service, who, grant)
        event = Event("n-0001", decided.type, self.now, actor, "c", decided.data)
        self.matter, self.service = begin_matter("n", service.code, event), service

    def _must_be_covered(self, service: Service, who: str, grant: str | None) -> None:
        assert who == AGENT and self._live(grant)
        assert service.who.business in DELEGABLE and service.who.agent == "online"
        assert not self.expected.scope.isdisjoint({service.code, service.who.business})

    @precondition(lambda self: self.matter is not None)
    @rule(who=st.sampled_from([PRINCIPAL, AGENT, THIRD]), action=st.sampled_from(STEPS))
    def go_on(self, who: str, action: str) -> None:
        matter = self.matter
        assert matter is not None
        self.count += 1
        photo = {
            **{"id": f"p{self.count}", "material": "id_card", "media_type": "image/jpeg"},
            **{"width": 1, "height": 1, "bytes": 1, "thumbnail": "t", "checks": []},
        }
        held = matter.photos[0].id if matter.photos else "none"
        given = {
            "values": {"reason": "出国", "until": "2028-01-15"},
            "photo": photo if action == "attach" else held,
        }
        actor = Actor("citizen", who)
        facts = self._facts(PRINCIPAL)
        decided = decide(self.service, matter, action, actor, given, facts, self.now, BOOK)
        if isinstance(decided, NewEvent):
            assert who != THIRD
            if who == AGENT:
                self._must_be_covered(self.service, who, matter.mandate)
            event = Event("e", decided.type, self.now, actor, "c", decided.data)
            self.matter = evolve(matter, event)
        elif who == THIRD:
            assert decided.code in ("not-found", "step-not-possible")

    # -- always -----------------------------------------------------------------------------

    @invariant()
    def a_mandate_is_its_timeline(self) -> None:
        if self.mandate is not None:
            assert replay("m", self.mandate.timeline) == self.mandate
            assert self.mandate.is_live(self.mandate.grant, self.now) == self._live(
                self.mandate.grant
            )

    @invariant()
    def who_sees_and_is_told(self) -> None:
        if self.matter is None:
            return
        assert may_see(self.matter, PRINCIPAL, self.mandate, self.now)
        assert not may_see(self.matter, THIRD, self.mandate, self.now)
        acting = self.matter.mandate is not None and self._live(self.matter.mandate)
        assert may_see(self.matter, AGENT, self.mandate, self.now) == acting
        told = audiences(self.matter, self.mandate, self.now)
        if self.matter.mandate is None:
            assert told == ("applicant",)
        else:
            assert told == (("applicant", "subject") if acting else ("subject",))


TestActing = Acting.TestCase
TestActing.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


def test_the_story_a_mandate_is_made_for_is_possible() -> None:
    """The machine would prove nothing of rules that let nobody do anything."""
    acting = Acting()
    acting.be_registered(frozenset({Tier.FACE_SIGNED}))
    acting.give(("licence",), 20)
    acting.accept()
    acting.begin(DEFERRAL, AGENT, "latest")
    assert acting.matter is not None and acting.matter.mandate == "m-0001"
    acting.go_on(AGENT, "fill")
    assert acting.matter.form == {"reason": "abroad", "until": "2028-01-15"}
    acting.end("principal")
    acting.go_on(AGENT, "withdraw")
    assert acting.matter.state.value == "draft"
    acting.go_on(PRINCIPAL, "withdraw")
    assert acting.matter.state.value == "withdrawn"


def test_every_standing_has_its_words_and_every_row_is_reached() -> None:
    for standing in Standing:
        assert BOOK.texts.has(f"mandates.standings.{standing.value}")
    events = {step.event for step in MANDATING}
    for event in events:
        assert BOOK.texts.has(f"mandates.events.{event}")
        for audience in ("principal", "agent"):
            for line in ("state", "hint"):
                said = BOOK.texts.say(f"mandates.notices.{audience}.{event}.{line}")
                assert 0 < len(said) <= 35 and "http" not in said
    assert delegable(DEFERRAL)
    assert not delegable(BOOK.catalogue["register-face-sign"])
    assert set(DELEGABLE) <= set(PERMISSIONS)


def test_what_may_be_done_with_a_mandate_is_in_the_table() -> None:
    acting = Acting()
    acting.give(("licence",), 20)
    assert acting.mandate is not None
    assert allowed(acting.mandate, "agent", START) == ("accept", "end")
    assert allowed(acting.mandate, "principal", START) == ("end",)
    assert allowed(acting.mandate, "agent", START + timedelta(days=8)) == ()
