"""Scarce places (a session of a test, an hour of appointments): holders, a queue, offers.

All of it lies in one document, so that one write decides. Capacity counts holders and offers; a
place taken directly needs an empty queue; a place given back is offered to the first in line by the
same write. Who holds, waits or is offered is a matter, by its number.

A change of places also owes steps to matters (``owed``: matter → step): they are taken after the
write, as often as needed, and struck off then.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

Owing = Literal["offer", "accept", "expire", "end_wait", "confirm", "change", "release"]
Taken = Literal["taken", "full", "closed", "gone"]
Joined = Literal["queued", "free", "line_full", "closed"]


@dataclass(frozen=True)
class Places:
    """The places of one document as read at ``rev``.

    ``offers``: matter → the moment its offer ends. ``closes_at``: from then on nobody takes,
    queues or is offered a place. ``changes`` counts how often what is held was changed.
    ``accepted_by``: matter → the officer who took the offer for its student, while the step is
    owed.
    """

    capacity: int
    closes_at: datetime
    open: bool = True
    holders: tuple[str, ...] = ()
    queue: tuple[str, ...] = ()
    offers: Mapping[str, datetime] = field(default_factory=dict)
    owed: Mapping[str, Owing] = field(default_factory=dict)
    accepted_by: Mapping[str, str] = field(default_factory=dict)
    rev: int = 0
    cancelled: bool = False
    changes: int = 0

    @property
    def left(self) -> int:
        """Places nobody holds and nobody is offered."""
        return self.capacity - len(self.holders) - len(self.offers)

    def is_open(self, now: datetime) -> bool:
        """Whether places are still given."""
        return self.open and now < self.closes_at

    def position(self, matter: str) -> int | None:
        """A matter's place in the line, from 1; None when it does not wait."""
        return self.queue.index(matter) + 1 if matter in self.queue else None

    def due(self, now: datetime) -> datetime | None:
        """When somebody must look at these places next; None when nothing is to come."""
        if self.owed:
            return now
        if not self.open:
            return None
        return min([self.closes_at, *self.offers.values()])


def taking(places: Places, matter: str, now: datetime) -> Taken:
    """Whether a matter may take a place directly now; ``taken`` when it may, or holds one."""
    if matter in places.holders:
        return "taken"
    if not places.is_open(now):
        return "closed"
    return "full" if places.left < 1 or places.queue else "taken"


def joined(places: Places, matter: str, now: datetime, most: int) -> tuple[Places, Joined]:
    """At the end of the line; ``free`` when there is a place to take instead, or he took it."""
    if matter in places.holders:
        return places, "free"
    if matter in places.queue or matter in places.offers:
        return places, "queued"
    if not places.is_open(now):
        return places, "closed"
    if places.left > 0 and not places.queue:
        return places, "free"
    if len(places.queue) >= most:
        return places, "line_full"
    after = replace(places, queue=(*places.queue, matter))
    # He may have asked for what it was before a change.
    return _owing(after, {matter: "change"} if places.changes else {}), "queued"


def released(places: Places, matter: str, now: datetime, hold: timedelta) -> Places:
    """Without this matter, wherever it stood; what becomes free is offered to who waits."""
    return _offered(_without(places, matter), now, hold)


def accepted(places: Places, matter: str, now: datetime, officer: str = "") -> Places | None:
    """An offer taken, by the student or by the ``officer`` who acts for him; the same places when
    it was before, None when it is over."""
    if matter in places.holders:
        return places
    until = places.offers.get(matter)
    if until is None or until <= now or not places.is_open(now):
        return None
    taken = replace(_without(places, matter), holders=(*places.holders, matter))
    by = {**taken.accepted_by, matter: officer} if officer else taken.accepted_by
    return _owing(replace(taken, accepted_by=by), {matter: "accept"})


def expired(places: Places, now: datetime, hold: timedelta) -> Places:
    """Without the offers that ended in silence; the next in line are offered instead. Who has not
    been told of his yet was not silent: it lasts anew."""
    ended = [m for m, until in places.offers.items() if until <= now]
    over = [m for m in ended if places.owed.get(m) != "offer"]
    anew = dict.fromkeys(ended, min(now + hold, places.closes_at))
    after = replace(places, offers={**places.offers, **anew})
    for matter in over:
        after = _without(after, matter)
    return _owing(_offered(after, now, hold), dict.fromkeys(over, "expire"))


def closed(places: Places) -> Places:
    """Nobody takes or waits any more; every holder is to be confirmed or refused."""
    waiting: dict[str, Owing] = dict.fromkeys((*places.offers, *places.queue), "end_wait")
    holding: dict[str, Owing] = dict.fromkeys(places.holders, "confirm")
    return _owing(replace(places, open=False, queue=(), offers={}), waiting | holding)


def cancelled(places: Places) -> Places:
    """There will be no places: everybody is let go, and no attempt is lost by it."""
    everybody = (*places.holders, *places.offers, *places.queue)
    after = replace(places, open=False, cancelled=True, holders=(), queue=(), offers={})
    return _owing(after, dict.fromkeys(everybody, "release"))


def changed(
    places: Places, capacity: int, closes_at: datetime, now: datetime, hold: timedelta
) -> Places | None:
    """Of another size, with another closing time; None when fewer than are held or offered.
    Everybody is told by ``told_of_change``."""
    if capacity < len(places.holders) + len(places.offers):
        return None
    offers = {m: min(until, closes_at) for m, until in places.offers.items()}
    after = replace(
        places,
        capacity=capacity,
        closes_at=closes_at,
        offers=offers,
        changes=places.changes + 1,
    )
    return _offered(after, now, hold)


def told_of_change(places: Places) -> Places:
    """Everybody is to hear that what he holds or waits for is another day, hour or site now. Who is
    owed another step hears it before that one."""
    everybody = (*places.holders, *places.offers, *places.queue)
    return _owing(places, dict.fromkeys((m for m in everybody if m not in places.owed), "change"))


def settled(places: Places, done: Mapping[str, Owing], changes: int) -> Places:
    """Without the steps that were taken, but for those owed anew meanwhile. ``changes`` is the
    count the steps were taken by: changed since, everybody is to hear it again."""
    left = {m: step for m, step in places.owed.items() if done.get(m) != step}
    by = {m: officer for m, officer in places.accepted_by.items() if m in left}
    after = replace(places, owed=left, accepted_by=by)
    return after if places.changes == changes or places.cancelled else told_of_change(after)


def _without(places: Places, matter: str) -> Places:
    return replace(
        places,
        holders=tuple(m for m in places.holders if m != matter),
        queue=tuple(m for m in places.queue if m != matter),
        offers={m: until for m, until in places.offers.items() if m != matter},
        owed={m: step for m, step in places.owed.items() if m != matter},
        accepted_by={m: officer for m, officer in places.accepted_by.items() if m != matter},
    )


def _offered(places: Places, now: datetime, hold: timedelta) -> Places:
    if not places.is_open(now):
        return places
    given = places.queue[: max(places.left, 0)]
    until = min(now + hold, places.closes_at)
    after = replace(
        places,
        queue=places.queue[len(given) :],
        offers={**places.offers, **dict.fromkeys(given, until)},
    )
    return _owing(after, dict.fromkeys(given, "offer"))


def _owing(places: Places, steps: Mapping[str, Owing]) -> Places:
    return replace(places, owed={**places.owed, **steps})
