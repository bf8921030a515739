"""What each tier of registration may do (REQ A8): one table, enforced in every channel.

Source: the announcement of 2016. Direct registration gives queries; a student account does
driving-test matters only; face-signed users do licence and vehicle business. That direct users
may do household business is the platform's own setting (REQ A2). Tiers combine.
"""

from collections.abc import Iterable, Mapping

from rules.people import Tier

_ANY: frozenset[Tier] = frozenset(Tier)

PERMISSIONS: Mapping[str, frozenset[Tier]] = {
    "query": frozenset({Tier.DIRECT, Tier.FACE_SIGNED}),
    "driving_test": frozenset({Tier.STUDENT}),
    "licence": frozenset({Tier.FACE_SIGNED}),
    "vehicle": frozenset({Tier.FACE_SIGNED}),
    "household": frozenset({Tier.DIRECT, Tier.FACE_SIGNED}),
    "registration": _ANY,
}
"""Business -> the tiers of which one is enough. ``registration`` is what is done in person at a
window to get a tier; nobody is kept from it."""


def may(tiers: Iterable[Tier], business: str) -> bool:
    """Whether somebody of these tiers may do this business. KeyError for an unknown business."""
    return not PERMISSIONS[business].isdisjoint(tiers)
