"""The life of a notice: which events are told, and what follows each answer of a gateway.

A notice lies in its matter. ``due`` → ``sending`` (recorded before the call) → ``sent`` →
``delivered`` or ``undelivered`` by the gateway's receipt. What a gateway will not take goes to
the next channel; what nobody takes is ``dead`` and shown at the desk. When a call's answer never
came, the notice is ``in_doubt`` until it is looked up; unresolved, it is sent once more, flagged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from rules.catalogue import Service
from rules.matter import Event


class NoticeState(StrEnum):
    """Where a notice stands."""

    DUE = "due"
    SENDING = "sending"
    IN_DOUBT = "in_doubt"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    DEAD = "dead"


FORMER_PHONE = "contact_left"
"""The template of what is told to a phone that was the person's before: by SMS only."""

FINAL = frozenset(
    {NoticeState.SENT, NoticeState.DELIVERED, NoticeState.UNDELIVERED, NoticeState.DEAD}
)
"""States in which nothing more is due; a receipt may still move ``sent``."""


@dataclass(frozen=True)
class Attempt:
    """One hand-over to a gateway; ``repeat`` marks the flagged second one after a doubt."""

    channel: str
    at: datetime
    outcome: str
    reference: str = ""
    code: str = ""
    repeat: bool = False


@dataclass(frozen=True)
class Notice:
    """A message owed to the citizen because of ``event``; ``id`` is made of event and audience:
    who it is for is found when it is sent (applicant and subject of a matter; principal and agent
    of a mandate).

    ``began`` is when its last hand-over began: the gateway lists what it took by day.
    """

    id: str
    event: str
    template: str
    state: NoticeState
    due: datetime | None
    channel: str | None = None
    lease: str | None = None
    closed: tuple[str, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    began: datetime | None = None
    audience: str = "applicant"

    @property
    def flagged(self) -> bool:
        """True when the citizen may have received it twice."""
        return any(a.repeat for a in self.attempts)


@dataclass(frozen=True)
class Pace:
    """Own settings: pause in seconds after each failed attempt, and when to give a channel up."""

    retries: tuple[int, ...]
    lease: int
    doubt: int


def notices_for(
    service: Service,
    event: Event,
    delay: timedelta,
    audiences: Sequence[str] = ("applicant",),
) -> tuple[Notice, ...]:
    """The notices an event owes, one to each audience, if the service's file names the event."""
    if event.type not in service.notices:
        return ()
    return tuple(
        Notice(
            id=f"{event.id}-{audience[0]}",
            event=event.id,
            template=FORMER_PHONE if audience == "former" else event.type,
            state=NoticeState.DUE,
            due=event.at + delay,
            audience=audience,
        )
        for audience in audiences
    )


def claimed(notice: Notice, channel: str, lease: str, now: datetime, pace: Pace) -> Notice:
    """``due`` → ``sending``: due again when the lease ends, should its holder die."""
    return replace(
        notice,
        state=NoticeState.SENDING,
        channel=channel,
        lease=lease,
        due=now + timedelta(seconds=pace.lease),
        began=now,
    )


def taken(notice: Notice, reference: str, now: datetime) -> Notice:
    """The gateway took it. Service by electronic means counts from here (157令 第五十六条)."""
    return _with(notice, now, "taken", reference=reference, state=NoticeState.SENT, due=None)


def refused(notice: Notice, code: str, action: str, now: datetime, pace: Pace) -> Notice:
    """The gateway said no. ``action``: retry, other_channel, give_up or alarm."""
    channel = notice.channel or ""
    tries = sum(1 for a in notice.attempts if a.channel == channel and a.outcome == "refused")
    if action == "retry" and tries < len(pace.retries):
        due = now + timedelta(seconds=pace.retries[tries])
        return _with(notice, now, "refused", code=code, state=NoticeState.DUE, due=due)
    closed = (*notice.closed, channel)
    return replace(
        _with(notice, now, "refused", code=code, state=NoticeState.DUE, due=now), closed=closed
    )


def doubted(notice: Notice, now: datetime, pace: Pace) -> Notice:
    """The call ended without an answer, or its caller died: look it up before anything else."""
    # The lease stays: should the caller live and hear the answer late, it still counts.
    return replace(notice, state=NoticeState.IN_DOUBT, due=now + timedelta(seconds=pace.doubt))


def absent(notice: Notice, now: datetime) -> Notice:
    """Looked up and not there: the gateway never took it, so sending again repeats nothing."""
    return _with(notice, now, "absent", state=NoticeState.DUE, due=now)


def unresolved(notice: Notice, now: datetime, pace: Pace) -> Notice:
    """Nobody can say whether it was taken: one more try, flagged and counted; only one. After it
    an SMS is looked up at the pace of the retries; what stays unknown closes the channel."""
    if not notice.flagged:
        return _with(notice, now, "unresolved", state=NoticeState.DUE, due=now, repeat=True)
    looks = sum(1 for a in notice.attempts if a.outcome == "unknown")
    if notice.channel == "sms" and looks < len(pace.retries):
        due = now + timedelta(seconds=pace.retries[looks])
        return _with(notice, now, "unknown", state=NoticeState.IN_DOUBT, due=due)
    closed = (*notice.closed, notice.channel or "")
    return replace(_with(notice, now, "unknown", state=NoticeState.DUE, due=now), closed=closed)


def dead(notice: Notice, now: datetime) -> Notice:
    """No channel is left: shown at the desk."""
    return replace(notice, state=NoticeState.DEAD, due=None, lease=None)


def receipt(notice: Notice, reference: str, delivered: bool, code: str, now: datetime) -> Notice:
    """A receipt moves only what is not final: a late or repeated one changes nothing. That it was
    delivered is believed also while it waits to be sent again, and of a first sending's twin."""
    waiting = notice.state is NoticeState.DUE and bool(notice.attempts)
    if notice.state not in (NoticeState.SENT, NoticeState.SENDING, NoticeState.IN_DOUBT) and not (
        delivered and (waiting or notice.state is NoticeState.UNDELIVERED)
    ):
        return notice
    state = NoticeState.DELIVERED if delivered else NoticeState.UNDELIVERED
    outcome = "delivered" if delivered else "undelivered"
    return _with(notice, now, outcome, reference=reference, code=code, state=state, due=None)


def _with(
    notice: Notice,
    now: datetime,
    outcome: str,
    *,
    state: NoticeState,
    due: datetime | None,
    reference: str = "",
    code: str = "",
    repeat: bool = False,
) -> Notice:
    attempt = Attempt(notice.channel or "", now, outcome, reference, code, repeat)
    return replace(notice, state=state, due=due, lease=None, attempts=(*notice.attempts, attempt))


def to_data(notice: Notice) -> dict[str, Any]:
    """A notice as plain values for the store."""
    return {
        "event": notice.event,
        "template": notice.template,
        "state": notice.state.value,
        "due": notice.due,
        "channel": notice.channel,
        "lease": notice.lease,
        "closed": list(notice.closed),
        "attempts": [vars(a) for a in notice.attempts],
        "began": notice.began,
        "audience": notice.audience,
    }


def from_data(notice_id: str, data: Mapping[str, Any]) -> Notice:
    """A notice from the store's values."""
    return Notice(
        id=notice_id,
        event=data["event"],
        template=data["template"],
        state=NoticeState(data["state"]),
        due=data["due"],
        channel=data["channel"],
        lease=data["lease"],
        closed=tuple(data["closed"]),
        attempts=tuple(Attempt(**a) for a in data["attempts"]),
        began=data.get("began"),
        audience=data.get("audience", "applicant"),
    )


def next_due(notices: Mapping[str, Notice]) -> datetime | None:
    """When the matter's delivery next needs a worker; None when nothing is owed."""
    return min((n.due for n in notices.values() if n.due is not None), default=None)
