"""What one process remembers for a moment, to spare a second look: logins and views.

Nothing here is the truth. A login is believed for a few seconds, so signing out reaches other
processes within that time; a view is only used while the matter's stamp is unchanged.
"""

from dataclasses import dataclass, field

from cachetools import TTLCache

from casework.views import MatterView
from rules.people import Citizen

_LOGINS, _LOGIN_SECONDS = 20_000, 5.0
_VIEWS, _VIEW_SECONDS = 2_000, 30.0


def _logins() -> TTLCache[str, Citizen]:
    return TTLCache(_LOGINS, _LOGIN_SECONDS)


def _views() -> TTLCache[str, tuple[tuple[int, ...], MatterView]]:
    return TTLCache(_VIEWS, _VIEW_SECONDS)


@dataclass(frozen=True)
class Recent:
    """One for each process, built in bianmin/app.py.

    ``logins``: hash of a token's secret → who was verified by it. ``views``: matter number → the
    stamp it was drawn at, and the view.
    """

    logins: TTLCache[str, Citizen] = field(default_factory=_logins)
    views: TTLCache[str, tuple[tuple[int, ...], MatterView]] = field(default_factory=_views)
