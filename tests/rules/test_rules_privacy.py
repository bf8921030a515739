"""The table of what is held about persons, and of what each screen shows."""

from datetime import date

import pytest

from rules.book import load_rulebook
from rules.masking import SCREENS, Show, groups, shown
from rules.privacy import build_privacy, kept, stored_paths
from rules.refusals import Refusal
from rules.toml_files import RulebookError, parse

BOOK = load_rulebook()
PRIVACY = BOOK.privacy
ROW = """
controller = "c"
contact = "1"
[bases.duty]
short = "d"
text = "d"
[[notices]]
version = "1"
from = 2015-11-01
short = "s"
text = "t"
[[fields]]
name = "f"
label = "l"
purpose = "p"
basis = ["{basis}"]
recipients = "r"
kept = {kept}
sensitive = false
form = "f"
masking = "m"
closing = "{closing}"
group = "g"
paths = ["c:a.*.b", "c:d.**"]
[technical]
paths = ["c:_id"]
"""


def _built(kept: str = '{ until = "x" }', basis: str = "duty", closing: str = "kept") -> None:
    text = ROW.replace("{basis}", basis).replace("{kept}", kept).replace("{closing}", closing)
    build_privacy(parse("privacy.toml", text), BOOK.parameters)


def test_a_row_with_a_slip_stops_the_start() -> None:
    _built()
    with pytest.raises(RulebookError, match=r"unknown parameter retention\.never"):
        _built('{ figure = "retention.never", starts = "x" }')
    with pytest.raises(RulebookError, match="unknown basis nobody"):
        _built(basis="nobody")
    with pytest.raises(RulebookError, match="closing must be one of"):
        _built(closing="later")
    with pytest.raises(RulebookError, match=r"unknown parameter no\.such"):
        _built('{ until = "x", note = "y{no.such}" }')


def test_paths_of_a_document_are_found_and_covered() -> None:
    document = {"_id": 1, "a": {"x": {"b": 1, "c": 2}}, "d": [{"e": 1}, {"f": []}], "g": {}}
    paths = list(stored_paths("c", document))
    assert paths == ["c:_id", "c:a.x.b", "c:a.x.c", "c:d.[].e"]
    text = ROW.replace("{basis}", "duty").replace("{kept}", '{ until = "x" }')
    table = build_privacy(parse("privacy.toml", text.replace("{closing}", "kept")), BOOK.parameters)
    assert [table.field_of(p) for p in paths] == ["", "f", None, "f"]


def test_every_sensitive_field_has_its_own_basis() -> None:
    for field in PRIVACY.fields:
        assert ("sensitive" in field.basis) == field.sensitive, field.name


def test_the_notice_of_a_day() -> None:
    assert PRIVACY.notice(date(2016, 2, 1)).version == "2015-11"
    assert PRIVACY.notice(date(2021, 10, 31)).version == "2015-11"
    assert PRIVACY.notice(date(2021, 11, 1)).version == "2021-11"
    PRIVACY.must_be_current("2021-11", date(2026, 1, 1))
    with pytest.raises(Refusal):
        PRIVACY.must_be_current("2015-11", date(2026, 1, 1))


def test_how_long_in_words() -> None:
    by_name = {f.name: kept(f, BOOK.parameters, date(2026, 1, 1)) for f in PRIVACY.fields}
    assert by_name["logins"] == "自登录起180日"
    assert by_name["photos"] == "自办结起10年（未通过的3年，撤回的1年，删除的草稿7日）"
    assert by_name["wechat"] == "至解除绑定、取消关注或注销账户"


def test_a_screen_shows_what_the_table_says() -> None:
    assert shown("desk.worklist", "name", "王小明") == "王**"
    assert shown("desk.worklist", "phone", "13812345678") == ""
    assert shown("desk.matter", "phone", "13812345678") == "13812345678"
    assert groups("desk.worklist") == ("name-masked",)
    with pytest.raises(KeyError):
        shown("no.such.screen", "name", "x")
    for screen, fields in SCREENS.items():
        for group, show in fields.items():
            if show is Show.MASKED:
                assert "*" in shown(screen, group, "410105199001011234")
