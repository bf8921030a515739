"""The account's menu names only what the bot obeys, within WeChat's lengths."""

from bot.menu import EVERYWHERE
from rules.book import load_rulebook
from rules.menu import COMMANDS, load_menu


def test_the_menu_has_its_buttons() -> None:
    menu = load_menu(load_rulebook().catalogue)
    assert [b["name"] for b in menu["button"]] == ["办事", "查进度", "我的"]
    assert menu["button"][1] == {"type": "click", "name": "查进度", "key": "progress"}
    assert menu["button"][0]["sub_button"][0]["key"] == "service:licence-deferral"


def test_every_command_is_one_of_the_bots() -> None:
    assert COMMANDS <= EVERYWHERE
