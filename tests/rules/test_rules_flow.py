"""The table of a matter's life, under every order of actions; notices, effects and reminders."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rules import notices
from rules.book import load_rulebook
from rules.effects import effects_of
from rules.facts import Facts, Licence, Office
from rules.flow import ENDED, TABLE, allowed, begin, decide, evolve, replay
from rules.matter import Event, Matter, NewEvent, State
from rules.messages import notice_text, sms_params, subscribe_data
from rules.notices import NoticeState, Pace
from rules.people import Actor, Tier
from rules.refusals import Refusal
from rules.reminders import remind_at

BOOK = load_rulebook()
SERVICE = BOOK.catalogue["licence-deferral"]
START = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
OFFICE = "4101-VO"
LICENCE = Licence(
    "L", "", "C1", "正常", date(2015, 1, 1), date(2021, 1, 15), date(2027, 1, 15), OFFICE
)
FACTS = Facts(
    today=date(2026, 11, 23),
    tiers=frozenset({Tier.FACE_SIGNED}),
    licence=LICENCE,
    licence_bound=True,
    region="4101",
)
PHOTO = {
    "media_type": "image/jpeg",
    "width": 1600,
    "height": 1000,
    "bytes": 1,
    "thumbnail": "t",
    "checks": [],
}
ACTORS = {
    "citizen": Actor("citizen", "key"),
    "officer": Actor("officer", "wang", OFFICE),
    "stranger": Actor("officer", "li", "4102-VO"),
    "system": Actor("system", "sweep"),
    "exchange": Actor("exchange", "file"),
}
ACTIONS = sorted({step.action for rows in TABLE.values() for step in rows})
PACE = Pace(retries=(5, 30), lease=30, doubt=60)


def _given(action: str, turn: int) -> Mapping[str, Any]:
    material = ("id_card", "reason_proof")[turn % 2]
    return {
        "applicant": "key",
        "subject": "key",
        "channel": "chat",
        "values": {"reason": "出国", "until": "2028-01-15"},
        "photo": {**PHOTO, "id": f"p{turn}", "material": material}
        if action == "attach"
        else f"p{turn - 1}",
        "defects": [{"part": "material:id_card", "reason": "反光"}],
        "reason": "材料不符",
        "batch": "D1",
        "reference": "R1",
        "name": "",
        "id_number": "",
        "phone": "",
    }


def _walk(actions: list[tuple[str, str]]) -> list[tuple[Matter | None, str, NewEvent | Refusal]]:
    matter: Matter | None = None
    seen: list[tuple[Matter | None, str, NewEvent | Refusal]] = []
    for turn, (who, action) in enumerate(actions):
        now = START + timedelta(minutes=turn)
        actor = ACTORS[who]
        outcome = decide(SERVICE, matter, action, actor, _given(action, turn), FACTS, now, BOOK)
        seen.append((matter, action, outcome))
        if isinstance(outcome, NewEvent):
            event = Event(f"m-{turn}", outcome.type, now, actor, f"c{turn}", outcome.data)
            matter = evolve(matter, event) if matter else begin("m", SERVICE.code, event)
    seen.append((matter, "", Refusal("not-found")))
    return seen


LIKELY = [
    ("citizen", "create"),
    ("citizen", "fill"),
    ("citizen", "attach"),
    ("citizen", "attach"),
    ("citizen", "submit"),
]
steps = st.tuples(st.sampled_from(sorted(ACTORS)), st.sampled_from(ACTIONS))
walks = st.builds(
    lambda head, tail: LIKELY[:head] + tail,
    st.integers(0, len(LIKELY)),
    st.lists(steps, max_size=25),
)


@given(walks)
def test_any_order_of_actions_is_an_event_or_a_worded_refusal(
    actions: list[tuple[str, str]],
) -> None:
    for matter, _, outcome in _walk(actions):
        if isinstance(outcome, Refusal):
            assert BOOK.texts.refusal(outcome).next
        elif matter is not None:
            assert matter.state not in ENDED or outcome.type in (
                "exported",
                "acknowledged",
                "not_taken",
                "reminded",
            )


@given(walks)
def test_a_matter_is_its_timeline(actions: list[tuple[str, str]]) -> None:
    matter = _walk(actions)[-1][0]
    if matter is not None:
        assert replay(matter.number, matter.service, matter.timeline) == matter
        assert matter.version == len(matter.timeline)


@given(walks)
def test_what_is_submitted_is_complete_and_decided_by_its_own_office(
    actions: list[tuple[str, str]],
) -> None:
    matter = _walk(actions)[-1][0]
    if matter is None:
        return
    for event in matter.timeline:
        if event.type in ("approved", "refused", "sent_back"):
            assert event.actor.office == matter.office == OFFICE
    if matter.state not in (State.DRAFT, State.CORRECTION, State.WITHDRAWN):
        assert matter.form["until"] and matter.photos_of("id_card")


def test_what_is_allowed_is_in_the_table_and_nothing_else() -> None:
    matter = _walk(LIKELY)[-1][0]
    assert matter is not None and matter.state is State.SUBMITTED
    assert allowed(SERVICE, matter, "citizen") == ("withdraw", "urge")
    assert allowed(SERVICE, matter, "officer") == ("approve", "send_back", "refuse")
    assert allowed(SERVICE, matter, "exchange") == ()


def _approved() -> tuple[Matter, Event]:
    matter = _walk([*LIKELY, ("officer", "approve")])[-1][0]
    assert matter is not None
    return matter, matter.timeline[-1]


def test_effects_follow_the_file_and_a_place_is_released_at_the_end() -> None:
    matter, event = _approved()
    assert [e.kind for e in effects_of(SERVICE, matter, event)] == ["defer_licence"]
    refused = _walk([*LIKELY, ("officer", "refuse")])[-1][0]
    assert refused is not None
    effects = effects_of(SERVICE, refused, refused.timeline[-1])
    assert [e.kind for e in effects] == ["release_licence", "release_place"]
    assert len({e.id for e in effects}) == 2


def test_the_reminder_comes_thirty_days_before_the_deferral_ends() -> None:
    matter, event = _approved()
    # 09:00 in Shanghai, thirty days before 2028-01-15.
    assert remind_at(SERVICE, matter, event, BOOK.parameters) == datetime(
        2027, 12, 16, 1, 0, tzinfo=UTC
    )
    assert remind_at(SERVICE, matter, matter.timeline[0], BOOK.parameters) is None


def test_messages_keep_within_what_the_gateways_take() -> None:
    matter, event = _approved()
    office = Office(OFFICE, "郑州" * 30, "vehicle_office", "4101", "某路", "周一", "0371-12345678")
    for name in SERVICE.notices:
        for where in (office, None):
            params = sms_params(BOOK.texts, SERVICE, matter, name, where)
            assert set(params) == {"service", "number", "state", "hint", "office", "hotline"}
            assert all(0 < len(v) <= 35 and "http" not in v for v in params.values())
        data = subscribe_data(BOOK.texts, SERVICE, matter, name, event.at)
        assert len(data["thing2"]) <= 20 and len(data["thing5"]) <= 20
        assert len(data["phrase3"]) <= 5 and data["time4"] == "2026年11月23日 02:05"
        assert matter.number in notice_text(BOOK.texts, SERVICE, matter, name)


def test_a_notice_goes_on_to_the_next_channel_and_ends() -> None:
    _, event = _approved()
    (notice,) = notices.notices_for(SERVICE, event, timedelta(0))
    now = event.at
    sending = notices.claimed(notice, "subscribe", "lease", now, PACE)
    assert sending.state is NoticeState.SENDING and sending.due == now + timedelta(seconds=30)
    closed = notices.refused(sending, "43101", "other_channel", now, PACE)
    assert closed.closed == ("subscribe",) and closed.due == now
    by_sms = notices.claimed(closed, "sms", "lease", now, PACE)
    sent = notices.taken(by_sms, "biz", now)
    assert sent.state is NoticeState.SENT and sent.due is None
    done = notices.receipt(sent, "biz", True, "", now)
    assert done.state is NoticeState.DELIVERED
    assert notices.receipt(done, "biz", False, "X", now) == done


def test_a_gateway_that_fails_is_tried_again_then_given_up() -> None:
    _, event = _approved()
    (notice,) = notices.notices_for(SERVICE, event, timedelta(0))
    dues = []
    for _ in range(3):
        notice = notices.claimed(notice, "sms", "lease", event.at, PACE)
        notice = notices.refused(notice, "busy", "retry", event.at, PACE)
        dues.append((notice.due or event.at) - event.at)
    assert dues == [timedelta(seconds=5), timedelta(seconds=30), timedelta(0)]
    assert notice.closed == ("sms",)


def test_a_doubt_is_flagged_only_when_it_stays_one() -> None:
    _, event = _approved()
    (notice,) = notices.notices_for(SERVICE, event, timedelta(0))
    sending = notices.claimed(notice, "sms", "lease", event.at, PACE)
    doubtful = notices.doubted(sending, event.at, PACE)
    assert doubtful.state is NoticeState.IN_DOUBT
    assert not notices.absent(doubtful, event.at).flagged
    assert notices.unresolved(doubtful, event.at, PACE).flagged
    stored = notices.to_data(doubtful)
    assert notices.from_data(doubtful.id, stored) == doubtful
    assert notices.next_due({"a": doubtful, "b": notice}) == notice.due


def test_what_stays_in_doubt_is_repeated_once_and_then_only_looked_up() -> None:
    _, event = _approved()
    (notice,) = notices.notices_for(SERVICE, event, timedelta(0))
    outcomes = []
    while notice.closed == ():
        if notice.state is NoticeState.DUE:
            notice = notices.claimed(notice, "sms", "lease", event.at, PACE)
            notice = notices.doubted(notice, event.at, PACE)
            outcomes.append("sent")
        notice = notices.unresolved(notice, event.at, PACE)
        outcomes.append(notice.state.value)
    assert outcomes == ["sent", "due", "sent", "in_doubt", "in_doubt", "due"]
    assert sum(a.repeat for a in notice.attempts) == 1 and notice.closed == ("sms",)


def test_a_delivery_report_is_believed_late_and_a_failure_is_not() -> None:
    _, event = _approved()
    (notice,) = notices.notices_for(SERVICE, event, timedelta(0))
    assert notices.receipt(notice, "biz", True, "", event.at) == notice
    sending = notices.claimed(notice, "sms", "lease", event.at, PACE)
    waiting = notices.absent(notices.doubted(sending, event.at, PACE), event.at)
    assert notices.receipt(waiting, "biz", False, "X", event.at) == waiting
    delivered = notices.receipt(waiting, "biz", True, "", event.at)
    assert (delivered.state, delivered.due) == (NoticeState.DELIVERED, None)
    failed = notices.receipt(sending, "biz", False, "X", event.at)
    assert failed.state is NoticeState.UNDELIVERED
    assert notices.receipt(failed, "biz", True, "", event.at).state is NoticeState.DELIVERED


def _drafted(actions: list[tuple[str, str]]) -> Matter:
    matter = _walk(actions)[-1][0]
    assert matter is not None
    return matter


def test_only_so_many_changes_between_two_submissions() -> None:
    most = int(BOOK.parameters.at("matter.most_changes", START.date()).value)
    filling = [("citizen", "fill")] * (most + 5)
    matter = _drafted([("citizen", "create"), *filling])
    assert len(matter.timeline) == most + 1
    for action in ("fill", "attach"):
        given = _given(action, 1)
        refused = decide(SERVICE, matter, action, ACTORS["citizen"], given, FACTS, START, BOOK)
        assert refused == Refusal("too-many-changes")
    away = decide(SERVICE, matter, "withdraw", ACTORS["citizen"], {}, FACTS, START, BOOK)
    assert isinstance(away, NewEvent)


def test_urging_leaves_the_time_a_matter_came_into_its_state() -> None:
    matter = _drafted([*LIKELY, ("citizen", "urge")])
    submitted, urged = matter.last("submitted"), matter.last("urged")
    assert submitted is not None and urged is not None
    assert matter.since == submitted.at < urged.at


def test_a_correction_counts_whatever_the_clocks_of_two_processes_say() -> None:
    matter = _drafted([*LIKELY, ("officer", "send_back")])
    photo = {**PHOTO, "id": "p9", "material": "id_card", "checks": []}
    early = Event("m-9", "attached", START, ACTORS["citizen"], "c9", {"photo": photo})
    matter = evolve(matter, early)
    again = decide(SERVICE, matter, "submit", ACTORS["citizen"], {}, FACTS, START, BOOK)
    assert isinstance(again, NewEvent)
