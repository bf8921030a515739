"""Scarce places, whatever happens to them in whatever order."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from rules.places import (
    Places,
    accepted,
    cancelled,
    changed,
    closed,
    expired,
    joined,
    released,
    settled,
    taking,
    told_of_change,
)

START = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
HOLD = timedelta(hours=12)
NAMES = tuple(f"m{n}" for n in range(7))
MATTERS = st.sampled_from(NAMES)
MOST = 4
STEPS: dict[str, set[str]] = {
    "taken": {"change"},
    "left": {"expire", "end_wait", "release"},
}


class SessionOfATest(RuleBasedStateMachine):
    """What requests, officers and the worker do to one document."""

    places: Places
    now: datetime

    @initialize(capacity=st.integers(0, 3), hours=st.integers(6, 96))
    def published(self, capacity: int, hours: int) -> None:
        self.now = START
        self.publish(capacity, hours)

    def publish(self, capacity: int, hours: int) -> None:
        """One that is full, with a line: what is empty has little to go wrong."""
        closes_at = self.now + timedelta(hours=hours)
        holders, queue = NAMES[:capacity], NAMES[-2:]
        self.places = Places(capacity, closes_at, holders=holders, queue=queue)

    @precondition(lambda self: not self.places.open)
    @rule(capacity=st.integers(1, 3), hours=st.integers(6, 96))
    def the_next_one(self, capacity: int, hours: int) -> None:
        """Once a session is closed or cancelled little can happen to it."""
        self.publish(capacity, hours)

    def become(self, after: Places, *, leaves: str = "", direct: str = "") -> None:
        """The places as they are now, whatever was done: nobody was overtaken or forgotten."""
        before, self.places = self.places, after
        fresh = [m for m in after.offers if m not in before.offers]
        line = [m for m in before.queue if m not in {leaves, *_gone(before, after)}]
        # Who is offered a place is who waited longest; who waits on keeps his place in line.
        assert [*fresh, *after.queue] == [*line, *_came(before, after, direct)]
        for matter in after.holders:
            if matter in before.holders:
                continue
            assert matter in before.offers or (matter == direct and not before.queue)
        for matter in _gone(before, after):
            assert matter == leaves or after.owed[matter] in STEPS["left"]
        for matter in fresh:
            assert after.owed[matter] == "offer"

    @rule(hours=st.integers(1, 16))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @precondition(lambda self: self.places.queue or self.places.offers)
    @rule()
    def the_closing_comes(self) -> None:
        self.now = max(self.now, self.places.closes_at)

    @rule(matter=MATTERS)
    def take(self, matter: str) -> None:
        before = self.places
        if matter in (*before.offers, *before.queue):
            return  # One claim a person and subject: who waits does not ask for a seat.
        said = taking(before, matter, self.now)
        if said == "taken" and matter not in before.holders:
            self.become(replace(before, holders=(*before.holders, matter)), direct=matter)
        elif said == "full":
            assert before.left < 1 or before.queue
        elif said == "closed":
            assert not before.open or self.now >= before.closes_at

    @rule(matter=MATTERS)
    def join(self, matter: str) -> None:
        if matter in self.places.holders:
            return
        after, said = joined(self.places, matter, self.now, MOST)
        if said == "free":
            assert after == self.places
            assert taking(after, matter, self.now) == "taken"
        if said == "queued":
            assert matter in (*after.queue, *after.offers)
        self.become(after, direct=matter)
        assert len(after.queue) <= MOST

    @rule(matter=MATTERS)
    def release(self, matter: str) -> None:
        after = released(self.places, matter, self.now, HOLD)
        assert matter not in _everybody(after)
        self.become(after, leaves=matter)

    @rule(data=st.data())
    def accept(self, data: Any) -> None:
        before = self.places
        matter = data.draw(st.sampled_from(sorted(before.offers)) if before.offers else MATTERS)
        after = accepted(before, matter, self.now)
        if after is None:
            until = before.offers.get(matter)
            assert until is None or until <= self.now or not before.is_open(self.now)
            return
        assert matter in after.holders
        self.become(after)
        assert accepted(after, matter, self.now) == after

    @rule()
    def expire(self) -> None:
        before, untold = self.places, {m for m, s in self.places.owed.items() if s == "offer"}
        over = [m for m, until in before.offers.items() if until <= self.now and m not in untold]
        self.become(expired(self.places, self.now, HOLD))
        assert not set(over) & set(_everybody(self.places))
        if self.now < before.closes_at:
            assert all(until > self.now for until in self.places.offers.values())

    @precondition(lambda self: self.places.open and self.now >= self.places.closes_at)
    @rule()
    def close(self) -> None:
        self.become(closed(self.places))
        assert all(self.places.owed[m] == "confirm" for m in self.places.holders)

    @precondition(lambda self: self.places.open)
    @rule(capacity=st.integers(0, 5), hours=st.integers(0, 72))
    def change(self, capacity: int, hours: int) -> None:
        closes_at = self.now + timedelta(hours=hours)
        after = changed(self.places, capacity, closes_at, self.now, HOLD)
        if after is None:
            assert capacity < len(self.places.holders) + len(self.places.offers)
            return
        after = told_of_change(after)
        self.become(after)
        assert set(_everybody(after)) <= set(after.owed)

    @precondition(lambda self: self.now > START + timedelta(hours=12))
    @rule()
    def cancel(self) -> None:
        before = self.places
        self.become(cancelled(before))
        assert _everybody(self.places) == []
        assert all(self.places.owed[m] == "release" for m in _everybody(before))

    @rule(data=st.data())
    def settle(self, data: Any) -> None:
        """Some of the steps owed were taken, by who read the places before others changed them."""
        owed = dict(self.places.owed)
        names = data.draw(st.sets(st.sampled_from(sorted(owed))) if owed else st.just(set()))
        done = {m: owed[m] for m in names}
        after = settled(self.places, done, self.places.changes)
        assert dict(after.owed) == {m: s for m, s in owed.items() if m not in names}
        self.places = after

    @invariant()
    def never_too_many(self) -> None:
        assert len(self.places.holders) + len(self.places.offers) <= self.places.capacity

    @invariant()
    def nobody_twice(self) -> None:
        everybody = _everybody(self.places)
        assert len(everybody) == len(set(everybody))

    @invariant()
    def no_offer_outlasts_the_closing(self) -> None:
        assert all(until <= self.places.closes_at for until in self.places.offers.values())

    @invariant()
    def nothing_is_free_while_somebody_waits(self) -> None:
        if self.places.is_open(self.now):
            assert not self.places.queue or self.places.left == 0

    @invariant()
    def nobody_waits_for_what_is_closed(self) -> None:
        if not self.places.open:
            assert not self.places.queue and not self.places.offers

    @invariant()
    def somebody_looks_in_time(self) -> None:
        due = self.places.due(self.now)
        if self.places.owed:
            assert due == self.now
        elif self.places.open:
            assert due is not None and due <= self.places.closes_at
            assert all(due <= until for until in self.places.offers.values())
        else:
            assert due is None


def _everybody(places: Places) -> list[str]:
    return [*places.holders, *places.offers, *places.queue]


def _gone(before: Places, after: Places) -> list[str]:
    there = set(_everybody(after))
    return [m for m in _everybody(before) if m not in there]


def _came(before: Places, after: Places, matter: str) -> Iterable[str]:
    """Who joins does so at the end, and alone."""
    new = matter not in before.queue and matter in after.queue
    return [matter] if new else []


TestSessionOfATest = SessionOfATest.TestCase
TestSessionOfATest.settings = settings(deadline=None, max_examples=150, stateful_step_count=50)


def test_a_place_given_back_goes_to_who_waits_not_to_who_comes() -> None:
    full = Places(1, START + timedelta(hours=5), holders=("a",))
    waiting, _ = joined(full, "b", START, MOST)
    freed = released(waiting, "a", START, HOLD)
    assert freed.left == 0 and list(freed.offers) == ["b"]
    assert taking(freed, "c", START) == "full"
    # Nor is there a way past the line in the moment before it is offered anything.
    assert taking(replace(freed, queue=("d",), offers={}), "c", START) == "full"
    # The offer ends with the closing, not twelve hours later.
    assert freed.offers["b"] == START + timedelta(hours=5)
    # Until its end, and not at it.
    assert accepted(freed, "b", START + timedelta(hours=5)) is None
    assert accepted(freed, "b", START + timedelta(hours=4, minutes=59)) is not None


def test_silence_gives_the_place_to_the_next() -> None:
    places = Places(1, START + timedelta(days=5), holders=("a",), queue=("b", "c"))
    places = released(places, "a", START, HOLD)
    # Who has not heard of it was not silent.
    later = expired(places, START + timedelta(days=1), HOLD)
    assert later.offers == {"b": START + timedelta(days=1) + HOLD} and "b" in later.owed
    places = settled(places, {"b": "offer"}, 0)
    assert expired(places, START + HOLD - timedelta(seconds=1), HOLD).offers == places.offers
    after = expired(places, START + HOLD, HOLD)
    assert list(after.offers) == ["c"] and dict(after.owed) == {"b": "expire", "c": "offer"}


def test_news_of_a_change_is_not_lost_to_who_settles_what_was_before_it() -> None:
    places = Places(2, START + timedelta(days=5), holders=("a",), owed={"a": "change"})
    later = replace(places, changes=1)
    assert settled(later, {"a": "change"}, 0).owed == {"a": "change"}
    assert settled(later, {"a": "change"}, 1).owed == {}


def test_who_holds_a_place_already_does_not_stand_in_line_for_one() -> None:
    places = Places(1, START + timedelta(days=5), holders=("a",), queue=("b",))
    for now in (START, START + timedelta(days=6)):
        assert joined(places, "a", now, MOST) == (places, "free")
        assert taking(places, "a", now) == "taken"
