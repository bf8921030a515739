"""One-time codes of the mini-program (wx.login and phone number): once, five minutes."""

import secrets
from collections import deque
from dataclasses import dataclass

LIFETIME = 300.0
USES_PER_MINUTE = 100


@dataclass(slots=True)
class _Code:
    person: str
    purpose: str
    until: float
    used: bool = False


class CodeError(Exception):
    """A code that does not serve; `.code` is WeChat's error."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Codes:
    """Gives codes out and takes them back. Not kept over a restart."""

    def __init__(self) -> None:
        self._codes: dict[str, _Code] = {}
        self._uses: dict[str, deque[float]] = {}

    def issue(self, person: str, purpose: str, now: float) -> str:
        """A new code (`login` or `phone`) for the person."""
        text = "0" + secrets.token_urlsafe(24)[:31]
        self._codes[text] = _Code(person, purpose, now + LIFETIME)
        return text

    def redeem(self, text: str, purpose: str, now: float) -> str:
        """The person behind a code; raises CodeError 40029 (invalid), 40163 (used) or 45011 (too
        often).
        """
        code = self._codes.get(text)
        if code is None or code.purpose != purpose or code.until <= now:
            raise CodeError(40029)
        if code.used:
            raise CodeError(40163)
        uses = self._uses.setdefault(code.person, deque())
        while uses and uses[0] <= now - 60:
            uses.popleft()
        if len(uses) >= USES_PER_MINUTE:
            raise CodeError(45011)
        uses.append(now)
        code.used = True
        return code.person
