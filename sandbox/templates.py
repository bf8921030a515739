"""Message templates: what is filed with the platforms and what each field may hold."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_DATE = r"\d{4}年(0?[1-9]|1[0-2])月(0?[1-9]|[12]\d|3[01])日"
_CLOCK = r"([01]?\d|2[0-3]):[0-5]\d"
_TIME = rf"({_DATE}( ?{_CLOCK})?|{_CLOCK})"

# WeChat's rules for subscribe-message parameters, by the field's name without its number.
FIELD_RULES: dict[str, re.Pattern[str]] = {
    "thing": re.compile(r".{1,20}"),
    "phrase": re.compile(r"[\u4e00-\u9fff]{1,5}"),
    "character_string": re.compile(r"[\x21-\x7e]{1,32}"),
    "number": re.compile(r"[0-9.]{1,32}"),
    "letter": re.compile(r"[A-Za-z]{1,32}"),
    "time": re.compile(rf"{_TIME}(~{_TIME})?"),
    "date": re.compile(rf"{_DATE}( ?{_CLOCK})?(~{_DATE}( ?{_CLOCK})?)?"),
    "amount": re.compile(r"[¥￥$]?\d{1,10}(\.\d+)?元?"),
    "phone_number": re.compile(r"[0-9+\-]{1,17}"),
    "car_number": re.compile(r"[\u4e00-\u9fff]?[A-Z0-9]{1,7}[\u4e00-\u9fff]?"),
    "name": re.compile(r"[\u4e00-\u9fff·]{1,10}|[\x20-\x7e]{1,20}"),
}


@dataclass(frozen=True, slots=True)
class MessageTemplate:
    """A subscribe or template message: its title and fields (name to label)."""

    id: str
    title: str
    fields: Mapping[str, str]

    def wrong_field(self, data: Mapping[str, object]) -> str | None:
        """Name the first field of `data` ({name: {"value": text}}) that WeChat would refuse, or
        None.
        """
        for name in data:
            if name not in self.fields:
                return name
        for name in self.fields:
            entry = data.get(name)
            value = entry.get("value") if isinstance(entry, dict) else None
            rule = FIELD_RULES[name.rstrip("0123456789")]
            if not isinstance(value, str) or rule.fullmatch(value) is None:
                return name
        return None


@dataclass(frozen=True, slots=True)
class SmsTemplate:
    """An SMS template: kind is `code` or `notice`."""

    code: str
    kind: str
    text: str

    @property
    def parameters(self) -> list[str]:
        """Names of its placeholders in order."""
        return re.findall(r"\$\{(\w+)\}", self.text)

    def render(self, values: Mapping[str, str]) -> str:
        """The text with its placeholders filled."""
        return re.sub(r"\$\{(\w+)\}", lambda found: values[found[1]], self.text)


@dataclass(frozen=True, slots=True)
class Templates:
    """All templates by id."""

    subscribe: Mapping[str, MessageTemplate]
    official: Mapping[str, MessageTemplate]
    sms: Mapping[str, SmsTemplate]


def load_templates(path: Path) -> Templates:
    """Read templates.toml; raises ValueError for a field or kind no platform knows."""
    data = tomllib.loads(path.read_text("utf-8"))

    def messages(section: str) -> dict[str, MessageTemplate]:
        found = {}
        for key, entry in data.get(section, {}).items():
            for name in entry["fields"]:
                if name.rstrip("0123456789") not in FIELD_RULES:
                    raise ValueError(f"{section}.{key}: unknown field type {name}")
            found[key] = MessageTemplate(key, entry["title"], entry["fields"])
        return found

    sms = {}
    for code, entry in data.get("sms", {}).items():
        if entry["kind"] not in {"code", "notice"}:
            raise ValueError(f"sms.{code}: unknown kind {entry['kind']}")
        sms[code] = SmsTemplate(code, entry["kind"], entry["text"])
    return Templates(messages("subscribe"), messages("official"), sms)
