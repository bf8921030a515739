"""The account's menu names only what the bot obeys, within WeChat's lengths."""

from bot.menu import EVERYWHERE
from rules.book import load_rulebook
from rules.menu import COMMANDS, load_menu


def test_the_menu_has_its_buttons() -> None:
    menu = load_menu(load_rulebook().catalogue)
    assert [b["name"] for b in menu["button"]] == ["驾考", "办事", "我的"]
    below = [[(b["name"], b["key"]) for b in one["sub_button"]] for one in menu["button"]]
    assert ("取消预约考试", "cancel_exam") in below[0]
    assert below[1][:2] == [("查进度", "progress"), ("驾驶证延期换证", "service:licence-deferral")]


def test_every_command_is_one_of_the_bots() -> None:
    assert COMMANDS <= EVERYWHERE
