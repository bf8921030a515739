"""Every sentence a citizen or an officer reads, by key.

A key is a path of TOML tables: ``[bot]`` ``greeting = "…"`` is ``bot.greeting``. ``{name}`` in a
text is a placeholder. ``refusals.toml`` holds for each code its HTTP status, what is wrong
(``detail``) and what to do next (``next``); ``absent`` words a placeholder nobody filled.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from string import Formatter
from typing import Any

from rules.facts import Office
from rules.refusals import Refusal, Worded
from rules.toml_files import RulebookError, Table, read_folder

LONGEST_REFUSAL = 60
"""Characters of one half of a refusal, placeholders not counted: it must fit a phone's toast."""

_REFUSALS = "refusals.toml"
_LENGTHS = {"state": 35, "hint": 35, "phrase": 5, "thing": 20}
"""What the SMS template's parameters and the subscribe message's fields can hold (WeChat: a
``phrase`` is five Chinese characters, a ``thing`` twenty)."""
NOTICE_WORDS: Mapping[str, int] = {"what": 5, "when": 11, "site": 10, "until": 11}
"""What a notice may say of its matter (``rules.messages``), each in so many characters at most."""


@dataclass(frozen=True)
class NoticeText:
    """A notice's words: state and hint for SMS and list, phrase and thing for WeChat."""

    state: str
    hint: str
    phrase: str
    thing: str


@dataclass(frozen=True)
class _RefusalText:
    status: int
    detail: str
    next: str
    absent: Mapping[str, str] = field(default_factory=dict)


class Texts:
    """All texts, read-only."""

    def __init__(self, texts: Mapping[str, str], refusals: Mapping[str, _RefusalText]) -> None:
        self._texts = dict(texts)
        self._refusals = dict(refusals)
        self._under: dict[str, dict[str, str]] = {}
        for key, text in self._texts.items():
            prefix, _, name = key.rpartition(".")
            self._under.setdefault(prefix, {})[name] = text

    def say(self, key: str, **params: Any) -> str:
        """The text of a key with its placeholders filled.

        Raises KeyError for an unknown key and for a placeholder without a value.
        """
        return self._texts[key].format(**params)

    def has(self, key: str) -> bool:
        """Whether there is a text under this key."""
        return key in self._texts

    def under(self, prefix: str) -> Mapping[str, str]:
        """The raw texts below a prefix: last part of the key -> text, in the file's order."""
        return self._under.get(prefix, {})

    def placeholders(self, key: str) -> frozenset[str]:
        """The placeholder names of a text."""
        return frozenset(_placeholders(self._texts[key]))

    def refusal(self, refusal: Refusal) -> Worded:
        """A refusal in words. Raises KeyError for an unknown code or a missing param."""
        text = self._refusals[refusal.code]
        filled = {k: spoken(v) for k, v in refusal.params.items()}
        # What casework could not find out (no office known) is worded, not left blank.
        params = {**text.absent, **{k: v for k, v in filled.items() if v}}
        return Worded(
            text.status,
            refusal.code,
            text.detail.format(**params),
            text.next.format(**params),
        )

    def refusal_codes(self) -> tuple[str, ...]:
        """Every refusal there is."""
        return tuple(self._refusals)

    def refusal_needs(self, code: str) -> frozenset[str]:
        """The params a refusal of this code must carry."""
        text = self._refusals[code]
        return frozenset(_placeholders(text.detail + text.next)) - frozenset(text.absent)

    def notice(self, event: str, service: str = "") -> NoticeText:
        """What is told of an event, in a service's own words where it has some. Raises KeyError."""
        lines = {**self.under(f"notices.{event}"), **self.under(f"services.{service}.{event}")}
        if not lines:
            raise KeyError(f"notices.{event}")
        return NoticeText(**lines)

    def sms_template(self, event: str) -> str:
        """The SMS template code for an event: one serves them all."""
        return self._texts["templates.sms"]

    def consent_template(self, event: str) -> str:
        """The subscribe-message template for an event: one serves them all."""
        return self._texts["templates.subscribe"]

    def consent_templates(self) -> tuple[str, ...]:
        """The subscribe-message templates the mini-program asks consent for at a tap."""
        return (self._texts["templates.subscribe"],)


def spoken(value: Any) -> str:
    """A parameter as said in a sentence: lists joined, offices with address, hours and phone,
    problems of a form as ``label：reason``."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        reason = value.get("reason")
        return f"{value['label']}：{reason}" if reason else str(value["label"])
    if isinstance(value, Sequence):
        words = [spoken(item) for item in value]
        plain = all(isinstance(item, str) for item in value)
        return ("、" if plain else "；").join(words)
    if isinstance(value, Office):
        return f"{value.name}（{value.address}，{value.hours}，电话{value.phone}）"
    return str(value)


def load_texts() -> Texts:
    """All texts of this folder. Raises RulebookError for a malformed or doubled key."""
    return build_texts(read_folder(__name__))


def build_texts(sources: Iterator[tuple[str, Mapping[str, Any]]]) -> Texts:
    """Texts from (file name, content) pairs. Raises RulebookError naming file and key."""
    texts: dict[str, str] = {}
    refusals: dict[str, _RefusalText] = {}
    for file, content in sources:
        if file == _REFUSALS:
            refusals = {code: _refusal(Table(file, code, body)) for code, body in content.items()}
            continue
        for key, text in _flat(file, "", content):
            if key in texts:
                raise RulebookError(f"{file}: {key} stands twice")
            _short_enough(file, key, text)
            texts[key] = text
    return Texts(texts, refusals)


def _short_enough(file: str, key: str, text: str) -> None:
    path = key.split(".")
    if path[0] not in ("notices", "services"):
        return
    longest = _LENGTHS.get(path[-1])
    if longest is None:
        raise RulebookError(f"{file}: {key} is not a known key")
    if unknown := set(_placeholders(text)) - set(NOTICE_WORDS):
        raise RulebookError(f"{file}: {key} has the unknown placeholder {unknown.pop()}")
    if len(text.format(**{n: "字" * most for n, most in NOTICE_WORDS.items()})) > longest:
        raise RulebookError(f"{file}: {key} is longer than {longest} characters")
    if "://" in text:
        raise RulebookError(f"{file}: {key} may not hold a link")


def _flat(file: str, path: str, content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in content.items():
        key = f"{path}.{name}" if path else name
        if isinstance(value, Mapping):
            yield from _flat(file, key, value)
        elif isinstance(value, str) and value.strip():
            _well_formed(file, key, value)
            yield key, value
        else:
            raise RulebookError(f"{file}: {key} must be a text")


def _refusal(table: Table) -> _RefusalText:
    status = table.take("status", int)
    if not 400 <= status <= 599:
        raise table.fail("status", "must be 400 to 599")
    halves = {}
    for half in ("detail", "next"):
        text = table.take(half, str)
        _well_formed(table.file, f"{table.path}.{half}", text)
        if len(_bare(text)) > LONGEST_REFUSAL:
            raise table.fail(half, f"is longer than {LONGEST_REFUSAL} characters")
        halves[half] = text
    absent_table = table.table("absent", required=False)
    absent = {key: absent_table.take(key, str) for key in absent_table.left()}
    table.done()
    unknown = set(absent) - set(_placeholders(halves["detail"] + halves["next"]))
    if unknown:
        raise table.fail(f"absent.{unknown.pop()}", "names no placeholder")
    return _RefusalText(status, halves["detail"], halves["next"], absent)


def _well_formed(file: str, key: str, text: str) -> None:
    try:
        for _, name, spec, conversion in Formatter().parse(text):
            if name is not None and (not name.isidentifier() or spec or conversion):
                raise RulebookError(f"{file}: {key} has a bad placeholder {{{name}}}")
    except ValueError as error:
        raise RulebookError(f"{file}: {key}: {error}") from error


def _placeholders(text: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(text) if name]


def _bare(text: str) -> str:
    return "".join(literal for literal, *_ in Formatter().parse(text))
