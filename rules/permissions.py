"""What each tier of registration may do (REQ A8): one table, enforced in every channel.

Source: the announcement of 2016. Direct registration gives queries; a student account does
driving-test matters only; face-signed users do licence and vehicle business. That direct users
may do household business is the platform's own setting (REQ A2). Tiers combine.

``docs/permissions.md`` is drawn from this table; nobody else decides by tier.
"""

from collections.abc import Iterable, Mapping

from rules.people import Tier
from rules.refusals import Refusal
from rules.texts import Texts

_ANY: frozenset[Tier] = frozenset(Tier)

PERMISSIONS: Mapping[str, frozenset[Tier]] = {
    "query": frozenset({Tier.DIRECT, Tier.FACE_SIGNED}),
    "driving_test": frozenset({Tier.STUDENT}),
    "enrol_again": frozenset({Tier.FACE_SIGNED}),
    "licence": frozenset({Tier.FACE_SIGNED}),
    "vehicle": frozenset({Tier.FACE_SIGNED}),
    "household": frozenset({Tier.DIRECT, Tier.FACE_SIGNED}),
    "registration": _ANY,
}
"""Business -> the tiers of which one is enough. ``enrol_again`` is being enrolled by a school by
who owns a vehicle or adds a class (REQ A4); ``registration`` is what is done in person at a
window to get a tier or to change contact data."""

FOR_EVERYBODY: frozenset[str] = frozenset({"registration"})
"""Business nobody is kept from, not even somebody without an account."""

_VEHICLE_WINDOWS = ("signing_office", "vehicle_office")

WINDOWS: Mapping[str, tuple[str, ...]] = {
    "query": ("vehicle_office",),
    "driving_test": ("vehicle_office", "driving_school"),
    "enrol_again": _VEHICLE_WINDOWS,
    "licence": _VEHICLE_WINDOWS,
    "vehicle": _VEHICLE_WINDOWS,
    "household": ("police_station",),
    "registration": _VEHICLE_WINDOWS,
}
"""Business -> the kinds of office that do it at the window. ``signing_office``: those that issued
the citizen's licence or registered his vehicles, in place of the kinds after it; the others are
those of his region (REQ A4, A8)."""

GIVEN_AT: Mapping[Tier, tuple[str, ...]] = {
    Tier.DIRECT: (),
    Tier.STUDENT: ("vehicle_office", "driving_school"),
    Tier.FACE_SIGNED: _VEHICLE_WINDOWS,
}
"""Tier -> the kinds of office where it is to be had; none where nobody has to go anywhere."""


def may(tiers: Iterable[Tier], business: str) -> bool:
    """Whether somebody of these tiers may do this business. KeyError for an unknown business."""
    enough = PERMISSIONS[business]
    return business in FOR_EVERYBODY or not enough.isdisjoint(tiers)


def missing(tiers: Iterable[Tier], business: str) -> tuple[Tier, ...]:
    """The tiers of which one would do, the easiest to get first; empty when he has one already.

    KeyError for an unknown business.
    """
    if may(tiers, business):
        return ()
    return tuple(t for t in Tier if t in PERMISSIONS[business])


def tier_refusal(tiers: Iterable[Tier], business: str, what: str, texts: Texts) -> Refusal | None:
    """``not-allowed-tier`` for ``what`` (a service's title), naming the tiers of which one would
    do and how to get the first; None when he may. casework adds the offices (``offices``)."""
    wanted = missing(tiers, business)
    if not wanted:
        return None
    return Refusal(
        "not-allowed-tier",
        service=what,
        business=business,
        missing=[t.value for t in wanted],
        needs="或".join(texts.say(f"tiers.{t}") for t in wanted),
        how=texts.say(f"tier_needed.{wanted[0]}"),
    )
