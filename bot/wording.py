"""How things are put in a chat: numbered choices, short lists, nothing longer than WeChat takes."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime

from casework.views import MatterView, OfficeView
from rules.calendar import HOUSE_ZONE
from rules.facts import Office
from rules.refusals import Refusal
from rules.texts import Texts

MAX_BYTES = 2000
"""WeChat refuses texts over 2048 bytes; the rest is room for a closing line."""

_NOT_SENT = frozenset({"due", "sending"})
_EDGES = " \t\r\n。．.，,、！!？?；;：:“”\"'～~"
_CHOICE = re.compile(r"(?:选|第|回复|我选)?\s*([0-9]{1,2})\s*(?:个|项|号|条)?")
_NUMERALS = {c: str(n) for n, c in enumerate("零一二三四五六七八九")} | {"十": "10", "两": "2"}


def tidy(text: str) -> str:
    """What was sent, in one line, half-width, without the full stop voice input adds."""
    return " ".join(unicodedata.normalize("NFKC", text).split()).strip(_EDGES)


def chosen(text: str, count: int) -> int | None:
    """Which of ``count`` numbered choices is meant, from 0; None when it is no number of them."""
    bare = "".join(_NUMERALS.get(c, c) for c in text) if len(text) <= 4 else text
    found = _CHOICE.fullmatch(bare)
    number = int(found[1]) if found else 0
    return number - 1 if 1 <= number <= count else None


def numbered(choices: Sequence[str]) -> str:
    """Choices one below the other, to be answered by their number."""
    return "\n".join(f"{n}. {choice}" for n, choice in enumerate(choices, 1))


def listed(lines: Sequence[str]) -> str:
    """Lines as a list nobody answers to."""
    return "\n".join(f"· {line}" for line in lines)


def joined(*paragraphs: str) -> str:
    """Paragraphs with a blank line between, empty ones left out."""
    return "\n\n".join(p for p in paragraphs if p)


def fit(text: str, more: str) -> str:
    """A text WeChat takes: whole lines are left out in the middle, and ``more`` says so.

    What is asked stands at the end, so the end is kept.
    """
    if len(text.encode()) <= MAX_BYTES:
        return text
    lines = text.split("\n")
    tail: list[str] = []
    while lines and len("\n".join(tail).encode()) < MAX_BYTES // 3:
        tail.insert(0, lines.pop()[:200])
    head: list[str] = []
    room = MAX_BYTES - len("\n".join([*tail, more]).encode())
    for line in lines:
        room -= len(line.encode()) + 1
        if room < 0:
            break
        head.append(line)
    return "\n".join([*head, more, *tail])


def refused(texts: Texts, refusal: Refusal) -> str:
    """An expected no: what is wrong and what to do next, with the offices that can help below."""
    offices = refusal.params.get("offices")
    if not isinstance(offices, list) or not offices:
        worded = texts.refusal(refusal)
        return f"{worded.detail}{worded.next}"
    below = {**refusal.params, "offices": texts.say("bot.offices_below")}
    worded = texts.refusal(Refusal(refusal.code, **below))
    return joined(f"{worded.detail}{worded.next}", office_lines(texts, offices))


def day(at: datetime) -> str:
    """A moment as a date people read."""
    local = at.astimezone(HOUSE_ZONE)
    return f"{local.year}年{local.month}月{local.day}日"


def moment(at: datetime) -> str:
    """A moment to the minute."""
    return f"{at.astimezone(HOUSE_ZONE):%m-%d %H:%M}"


def office_lines(texts: Texts, offices: Sequence[OfficeView | Office]) -> str:
    """Offices with address, hours and phone."""
    return "\n".join(
        texts.say("bot.office", name=o.name, address=o.address, hours=o.hours, phone=o.phone)
        for o in offices
    )


def progress(texts: Texts, view: MatterView) -> str:
    """Where a matter stands: what was done, by which office, what is next, what was sent (E2)."""
    done = [
        f"{moment(e.at)} {e.text}"
        + (f"（{e.office}）" if e.office else "")
        + (f"：{e.note}" if e.note else "")
        for e in view.timeline
    ]
    sent = [
        f"{moment(n.at)} {n.channel}：{n.state_label}"
        for n in view.notices
        if n.state not in _NOT_SENT
    ]
    say = texts.say
    return joined(
        say("bot.progress_head", title=view.title, number=view.number, state=view.state_label),
        f"{say('bot.progress_done')}\n{listed(done)}" if done else "",
        say("bot.progress_office", office=view.office.name, phone=view.office.phone)
        if view.office
        else "",
        f"{say('bot.progress_next')}{view.next_step}",
        say("bot.progress_due", day=day(view.due)) if view.due else "",
        f"{say('bot.progress_sent')}\n{listed(sent)}" if sent else "",
    )
