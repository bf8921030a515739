"""What one process remembers for a moment, to spare a second look: logins and views.

Nothing here is the truth. A login is believed for a few seconds, so signing out reaches other
processes within that time, and this one at once; a view is only used while the matter's stamp is
unchanged, the sums of a year's tests for a minute. That a session is full is believed for a quarter
of a second: in a rush thousands ask within it.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import date

from cachetools import TTLCache

from casework.exams.views import SummaryView
from casework.views import MatterView
from rules.people import Citizen

_LOGINS, _LOGIN_SECONDS = 20_000, 5.0
_VIEWS, _VIEW_SECONDS = 2_000, 30.0
_SUMMARIES, _SUMMARY_SECONDS = 200, 60.0
_FULL, _FULL_SECONDS = 2_000, 0.25


def _logins() -> TTLCache[str, Citizen]:
    return TTLCache(_LOGINS, _LOGIN_SECONDS)


def _views() -> TTLCache[str, tuple[tuple[int, ...], MatterView]]:
    return TTLCache(_VIEWS, _VIEW_SECONDS)


def _summaries() -> TTLCache[tuple[str, str, date, date], SummaryView]:
    return TTLCache(_SUMMARIES, _SUMMARY_SECONDS)


def _full() -> TTLCache[str, int]:
    return TTLCache(_FULL, _FULL_SECONDS)


@dataclass
class Recent:
    """One for each process, built in bianmin/app.py.

    ``views``: matter number and reader → the stamp it was drawn at, and the view.
    ``summaries``: office, site and days → the results of tests in sums; ``summing`` is held while
    some are added up. ``full``: plans that were full → how many waited.
    """

    views: TTLCache[str, tuple[tuple[int, ...], MatterView]] = field(default_factory=_views)
    summaries: TTLCache[tuple[str, str, date, date], SummaryView] = field(
        default_factory=_summaries
    )
    full: TTLCache[str, int] = field(default_factory=_full)
    summing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _verified: TTLCache[str, Citizen] = field(default_factory=_logins)
    _signed_out: int = 0

    def login(self, token: str) -> Citizen | None:
        """Who was verified by this token a moment ago."""
        return self._verified.get(token)

    def mark(self) -> int:
        """Taken before a token is looked up, given with what was found."""
        return self._signed_out

    def remember_login(self, token: str, citizen: Citizen, mark: int) -> None:
        """Believe a token for a moment, unless somebody was signed out since ``mark``: the look
        may have been before it."""
        if mark == self._signed_out:
            self._verified[token] = citizen

    def forget_logins(self, key: str) -> None:
        """Somebody was signed out somewhere: look all his tokens up again."""
        self._signed_out += 1
        for token in [t for t in list(self._verified) if t.startswith(f"{key}.")]:
            self._verified.pop(token, None)
