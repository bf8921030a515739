"""What of a binding made at the window still holds: the registry has the last word (REQ A4).

A licence or vehicle is bound to an account by face-signing and unbound by the citizen, by the next
face-signing, or by itself when the registry says that it is no longer his.
"""

from collections.abc import Collection, Iterable

from rules.facts import Licence, Vehicle

_ENDED_LICENCE = frozenset({"注销", "撤销", "吊销"})
_ENDED_VEHICLE = frozenset({"注销", "报废"})


def licence_bound(number: str | None, licence: Licence | None) -> bool:
    """Whether the licence bound under ``number`` is the one he holds today and has not ended."""
    if licence is None or number != licence.number:
        return False
    return licence.status not in _ENDED_LICENCE


def vehicles_bound(plates: Collection[str], vehicles: Iterable[Vehicle]) -> frozenset[str]:
    """The plates among those bound that are still his: not sold, not deregistered, not scrapped."""
    return frozenset(
        v.plate for v in vehicles if v.plate in plates and v.status not in _ENDED_VEHICLE
    )
