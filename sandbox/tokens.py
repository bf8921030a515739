"""Access tokens as `cgi-bin/stable_token` hands them out.

Same token until five minutes before its end; the old one serves five minutes more after a change; a
forced refresh counts 20
times a day and within 30 s of the last it changes nothing
(developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken.html).
"""

import secrets
from collections import deque
from dataclasses import dataclass, field

LIFETIME = 7200.0
OVERLAP = 300.0
FORCED_PER_DAY = 20
FORCED_APART = 30.0


class TokenError(Exception):
    """A token or refresh that is refused; `.code` is WeChat's error."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(slots=True)
class _Token:
    app: str
    text: str
    until: float


@dataclass(slots=True)
class Tokens:
    """Tokens of all apps. Not kept over a restart: old ones are then invalid (40001)."""

    _current: dict[str, _Token] = field(default_factory=dict)
    _known: dict[str, _Token] = field(default_factory=dict)
    _forced: dict[str, deque[float]] = field(default_factory=dict)

    def get(self, app: str, now: float, force: bool) -> tuple[str, int]:
        """(token, seconds it lives); raises TokenError 45009 when the day's forced refreshes are
        used up.
        """
        current = self._current.get(app)
        fresh = current is not None and current.until - now >= OVERLAP
        if force and self._may_force(app, now):
            fresh = False
        if current is None or not fresh:
            if current is not None:
                current.until = min(current.until, now + OVERLAP)
            current = _Token(app, secrets.token_urlsafe(96), now + LIFETIME)
            self._current[app] = self._known[current.text] = current
        return current.text, int(current.until - now)

    def _may_force(self, app: str, now: float) -> bool:
        forced = self._forced.setdefault(app, deque())
        while forced and forced[0] <= now - 86400:
            forced.popleft()
        if len(forced) >= FORCED_PER_DAY:
            raise TokenError(45009)
        if forced and now - forced[-1] < FORCED_APART:
            return False
        forced.append(now)
        return True

    def check(self, text: str, now: float) -> str:
        """The app a token belongs to; raises TokenError 41001, 40001 or 42001."""
        if not text:
            raise TokenError(41001)
        token = self._known.get(text)
        if token is None:
            raise TokenError(40001)
        if token.until <= now:
            raise TokenError(42001)
        return token.app

    def expire(self, text: str, now: float) -> None:
        """End a token's life now, as if its two hours were over."""
        if text in self._known:
            self._known[text].until = now
