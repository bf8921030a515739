"""An exam site (考场): what a vehicle office makes public of it (162令 第五十二条, 第五十四条)."""

import re
import unicodedata
from dataclasses import dataclass

from rules.exams.plan import Subject

_BETWEEN = re.compile(r"[\s,;/、|]*")


@dataclass(frozen=True)
class Site:
    """A site of an office. ``daily_capacity`` is the most tests a day it is approved for
    (核定的每日最大考试量); ``layout``, ``route`` and ``process`` say how a test goes there."""

    code: str
    name: str
    office: str
    address: str
    phone: str
    hours: str
    subjects: tuple[Subject, ...]
    daily_capacity: int
    layout: str = ""
    route: str = ""
    process: str = ""


def subjects_in(written: str) -> tuple[Subject, ...] | None:
    """The subjects a site tests as a list of their digits, ``1 2 4`` or ``23``; None when it is no
    such list, or an empty one."""
    digits = _BETWEEN.sub("", unicodedata.normalize("NFKC", written))
    known = {s.value: s for s in Subject}
    if not digits or any(d not in known for d in digits):
        return None
    return tuple(known[d] for d in sorted(set(digits)))
