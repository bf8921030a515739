"""Reading a form as people fill it in, and finding what is missing.

A value is kept as text: dates as ``2027-03-01``, choices by their value, phones as eleven digits.
Reasons are written for the citizen.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date

from rules import id_number, names, phones
from rules.catalogue import Service
from rules.deadlines import say_date
from rules.fields import Field, MaterialSpec
from rules.matter import Defect, Matter
from rules.refusals import Refusal

_DATES = (
    re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII),
    re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", re.ASCII),
    re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})[日号]?", re.ASCII),
)
_DASHES = str.maketrans("－–—。", "---.")
_DEFAULT_LENGTH = 200


class FieldProblem(ValueError):
    """A value does not fit its field; ``reason`` says it in the citizen's words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def check_field(field: Field, text: str, today: date) -> str:
    """The value to keep for what was written. Raises FieldProblem.

    An optional field left empty gives ``""``.
    """
    written = unicodedata.normalize("NFKC", text).strip()
    if not written:
        if field.required:
            raise FieldProblem(f"请填写{field.label}")
        return ""
    return _READERS[field.type](field, written, today)


def _text(field: Field, written: str, today: date) -> str:
    longest = field.checks.max_length or _DEFAULT_LENGTH
    if len(written) > longest:
        raise FieldProblem(f"最多{longest}个字，请精简")
    if any(unicodedata.category(c) in ("Cc", "Cs", "Co") and c != "\n" for c in written):
        raise FieldProblem("含有无法显示的字符，请重新填写")
    return written


def read_date(written: str) -> date:
    """A date as people write it: ``2027-03-01``, ``2027年3月1日``, ``20270301``, full-width digits.

    Raises FieldProblem for another form and for a day that does not exist.
    """
    compact = "".join(unicodedata.normalize("NFKC", written).split()).translate(_DASHES)
    for shape in _DATES:
        found = shape.fullmatch(compact)
        if found:
            year, month, day = map(int, found.groups())
            try:
                return date(year, month, day)
            except ValueError as error:
                raise FieldProblem("没有这一天，请核对年月日") from error
    raise FieldProblem("请写明年月日，例如2027-03-01或2027年3月1日")


def _date(field: Field, written: str, today: date) -> str:
    day = read_date(written)
    if field.checks.after_today and day <= today:
        raise FieldProblem("须晚于今天，请重新填写")
    if field.checks.until_today and day > today:
        raise FieldProblem("不能晚于今天，请重新填写")
    return day.isoformat()


def _choice(field: Field, written: str, today: date) -> str:
    word = "".join(written.split()).casefold()
    if word.isdecimal() and 1 <= int(word) <= len(field.options):
        return field.options[int(word) - 1].value
    for option in field.options:
        names = (option.value, option.label, *option.also)
        if word in (_plain(n) for n in names):
            return option.value
    # 「我要出国留学」: one option's word inside what was said, and no other's.
    inside = {
        option.value
        for option in field.options
        if any(_plain(n) in word for n in (option.label, *option.also))
    }
    if len(inside) == 1:
        return inside.pop()
    listed = "、".join(f"{i} {o.label}" for i, o in enumerate(field.options, 1))
    raise FieldProblem(f"请从中选一项：{listed}")


def _plain(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()


def _phone(field: Field, written: str, today: date) -> str:
    try:
        return phones.normalise(written)
    except Refusal as refusal:
        raise FieldProblem("请填写11位的大陆手机号码") from refusal


def _id_number(field: Field, written: str, today: date) -> str:
    try:
        return id_number.normalise(written, today)
    except Refusal as refusal:
        raise FieldProblem("请对照身份证填写18位号码") from refusal


def _name(field: Field, written: str, today: date) -> str:
    try:
        return names.normalise(written)
    except Refusal as refusal:
        raise FieldProblem("请填写身份证上的姓名，只用汉字") from refusal


_READERS: Mapping[str, Callable[[Field, str, date], str]] = {
    "text": _text,
    "date": _date,
    "choice": _choice,
    "phone": _phone,
    "id_number": _id_number,
    "name": _name,
}


def read_values(
    service: Service, values: Mapping[str, str], today: date
) -> tuple[dict[str, str], list[dict[str, str]]]:
    """What was written, read: (values to keep, problems as ``{part, label, reason}``)."""
    fields = {f.name: f for f in service.fields}
    clean: dict[str, str] = {}
    problems: list[dict[str, str]] = []
    for name, text in values.items():
        field = fields.get(name)
        label = field.label if field else name
        try:
            if field is None:
                raise FieldProblem("没有这一项")
            clean[name] = check_field(field, text, today)
        except FieldProblem as problem:
            problems.append({"part": f"field:{name}", "label": label, "reason": problem.reason})
    return clean, problems


def materials_of(service: Service, matter: Matter) -> tuple[MaterialSpec, ...]:
    """The materials this matter has: those of an agent only where there is one."""
    return tuple(m for m in service.materials if m.when == "always" or matter.mandate is not None)


def material_required(material: MaterialSpec, *, by_agent: bool) -> bool:
    """Whether the material must be there when somebody hands the matter in: an agent's proof of
    identity is the agent's to give, not his principal's."""
    return material.required and (material.when == "always" or by_agent)


def missing_parts(
    service: Service, matter: Matter, *, by_agent: bool = False
) -> tuple[Defect, ...]:
    """What is required and not there yet, in the order it is asked for: fields, then materials.
    ``by_agent`` when an agent would hand it in."""
    missing = [
        Defect(f"field:{f.name}", f"请填写{f.label}")
        for f in service.fields
        if f.required and not matter.form.get(f.name)
    ]
    missing += [
        Defect(f"material:{m.name}", f"请上传{m.label}")
        for m in materials_of(service, matter)
        if material_required(m, by_agent=by_agent) and not matter.photos_of(m.name)
    ]
    return tuple(missing)


def display(field: Field, value: str) -> str:
    """A kept value as a person reads it: a choice by its label, a date in words."""
    if field.type == "choice":
        return next((o.label for o in field.options if o.value == value), value)
    if field.type == "date" and value:
        return say_date(date.fromisoformat(value))
    return value
