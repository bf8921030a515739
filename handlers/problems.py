"""Any exception as a problem for the caller: status, code, what is wrong, what to do next.

One translator for every door that speaks HTTP. The words are those of ``rules.texts``; nothing of
an unexpected exception ever reaches the caller.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pydantic
from tornado.web import HTTPError

from rules.refusals import Refusal
from rules.texts import Texts

# What Tornado itself refuses, in our codes. Any other 4xx is worded as a bad request.
_BY_STATUS: Mapping[int, str] = {
    404: "not-found",
    405: "method-not-allowed",
    413: "body-too-large",
}
# pydantic's error types, as keys of ``rules/texts/api.toml``.
_REASONS: Mapping[str, str] = {
    "missing": "missing",
    "string_too_short": "too-short",
    "string_too_long": "too-long",
    "string_pattern_mismatch": "pattern",
    "extra_forbidden": "unknown-field",
}
_UNREADABLE = frozenset({"json_invalid", "model_type", "model_attributes_type"})


@dataclass(frozen=True)
class Problem:
    """RFC 9457 with our members. ``params`` is what the wording was made from, for programs."""

    status: int
    code: str
    detail: str
    next: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def body(self, request_id: str) -> dict[str, Any]:
        """The members of an ``application/problem+json`` body."""
        members: dict[str, Any] = {
            "type": f"/api/docs#{self.code}",
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            "next": self.next,
            "request_id": request_id,
        }
        if self.params:
            members["params"] = self.params
        return members


def refusal_of(error: BaseException | None, texts: Texts) -> Refusal | None:
    """The refusal an exception stands for; None when nobody expected it."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, pydantic.ValidationError):
        return _invalid(error, texts)
    if isinstance(error, HTTPError) and error.status_code < 500:
        return Refusal(_BY_STATUS.get(error.status_code, "bad-request"))
    return None


def problem_of(error: BaseException | None, texts: Texts) -> Problem:
    """Any exception in the citizen's words; None is one nobody knows."""
    refusal = refusal_of(error, texts) or Refusal("internal-error")
    worded = texts.refusal(refusal)
    # A status without a code of ours (a failed XSRF check, say) stays the one Tornado chose.
    status = worded.status
    if isinstance(error, HTTPError) and error.status_code < 500:
        status = error.status_code
    return Problem(status, worded.code, worded.detail, worded.next, refusal.params)


def _invalid(error: pydantic.ValidationError, texts: Texts) -> Refusal:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    if any(e["type"] in _UNREADABLE for e in found):
        return Refusal("bad-request")
    fields = []
    for one in found:
        part = ".".join(str(step) for step in one["loc"])
        reason = texts.say(f"api.invalid.{_REASONS.get(one['type'], 'wrong')}")
        fields.append({"part": part, "label": part, "reason": reason})
    return Refusal("form-incomplete", fields=fields)
