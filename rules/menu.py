"""The official account's menu, from ``menu.toml``, in the shape WeChat takes."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from rules.catalogue import Catalogue
from rules.toml_files import RulebookError, Table, parse

_BUTTONS, _BELOW = 3, 5
_NAME, _NAME_BELOW = 4, 8
COMMANDS = frozenset({
    "menu", "progress", "register", "services", "offices", "me", "help",
    "book_exam", "cancel_exam", "my_exams", "exam_record", "exam_plans",
})  # fmt: skip
"""What a key may ask of the bot, beside ``service:<code>``."""


def load_menu(catalogue: Catalogue) -> Mapping[str, Any]:
    """The body of WeChat's ``menu/create``. Raises RulebookError for a key nobody obeys, a service
    that is not in the catalogue, or what WeChat would refuse."""
    content = parse("menu.toml", files("rules").joinpath("menu.toml").read_text("utf-8"))
    table = Table("menu.toml", "", content)
    buttons = table.tables("buttons")
    table.done()
    if len(buttons) > _BUTTONS:
        raise RulebookError(f"menu.toml: more than {_BUTTONS} buttons")
    return {"button": [_button(b, catalogue) for b in buttons]}


def _button(table: Table, catalogue: Catalogue) -> dict[str, Any]:
    below = table.tables("below")
    if not below:
        return _click(table, catalogue, _NAME)
    if len(below) > _BELOW:
        raise table.fail("below", f"holds more than {_BELOW}")
    name = _name(table, _NAME)
    table.done()
    return {"name": name, "sub_button": [_click(b, catalogue, _NAME_BELOW) for b in below]}


def _click(table: Table, catalogue: Catalogue, longest: int) -> dict[str, Any]:
    key = table.take("key", str)
    service = key.removeprefix("service:")
    if key not in COMMANDS and (service == key or service not in {s.code for s in catalogue}):
        raise table.fail("key", f"{key!r} is nothing the bot obeys")
    button = {"type": "click", "name": _name(table, longest), "key": key}
    table.done()
    return button


def _name(table: Table, longest: int) -> str:
    name = table.take("name", str)
    if len(name) > longest:
        raise table.fail("name", f"is longer than {longest} characters")
    return name
