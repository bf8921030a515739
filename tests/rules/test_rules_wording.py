"""Whatever the code refuses, says or looks up is there, with all its wording needs."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path

import pytest

from rules.book import load_rulebook
from rules.facts import Office
from rules.flow import TABLE
from rules.refusals import Refusal
from rules.texts import Texts

ROOT = Path(__file__).parents[2]
FOLDERS = (
    "rules",
    "storage",
    "notify",
    "casework",
    "bot",
    "handlers",
    "miniprogram_api",
    "bianmin",
)
PREFIXES = {"handlers/desk": "desk", "handlers/site": "site", "bot": "bot"}
BOOK = load_rulebook()
TEXTS = BOOK.texts


@cache
def _calls() -> tuple[tuple[str, ast.Call], ...]:
    return tuple(_walk())


def _walk() -> Iterator[tuple[str, ast.Call]]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and node.args:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def _called(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _strings(argument: ast.expr) -> list[str]:
    """The constants an argument may be: itself, or either side of a conditional."""
    if isinstance(argument, ast.IfExp):
        return _strings(argument.body) + _strings(argument.orelse)
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return [argument.value]
    return []


def _uses(name: str) -> list[tuple[str, str, ast.Call]]:
    return [(at, s, c) for at, c in _calls() if _called(c) == name for s in _strings(c.args[0])]


def _given(call: ast.Call) -> set[str] | None:
    """The keyword names of a call; None when some are handed on and cannot be read here."""
    names = [k.arg for k in call.keywords]
    return None if None in names else {n for n in names if n}


def test_every_refusal_of_the_code_is_worded_and_carries_what_it_needs() -> None:
    wrong = []
    for at, code, call in _uses("Refusal"):
        if code not in TEXTS.refusal_codes():
            wrong.append(f"{at}: {code} is not worded")
            continue
        given = _given(call)
        if given is not None and not TEXTS.refusal_needs(code) <= given:
            wrong.append(f"{at}: {code} needs {sorted(TEXTS.refusal_needs(code) - given)}")
    assert not wrong, "\n".join(wrong)


def _key(at: str, said: str, call: ast.Call) -> str | None:
    """The whole key of a ``say``: the doors' own ones put their file's name before it."""
    receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
    if receiver is None or ast.unparse(receiver).endswith("texts"):
        return said
    return next((f"{p}.{said}" for door, p in PREFIXES.items() if at.startswith(door)), None)


def test_every_text_the_code_says_is_there_with_its_params() -> None:
    wrong = []
    for at, said, call in _uses("say"):
        key = _key(at, said, call)
        if key is None:
            continue
        if not TEXTS.has(key):
            wrong.append(f"{at}: no text {key}")
            continue
        given = _given(call)
        if given is not None and not TEXTS.placeholders(key) <= given:
            wrong.append(f"{at}: {key} needs {sorted(TEXTS.placeholders(key) - given)}")
    assert not wrong, "\n".join(wrong)


def test_every_text_of_the_pages_is_there() -> None:
    wrong = []
    for door, prefix in PREFIXES.items():
        for page in sorted((ROOT / door).rglob("*.html")):
            for said in re.findall(r"\bsay\(\"([^\"]+)\"[,)]", page.read_text("utf-8")):
                if not TEXTS.has(f"{prefix}.{said}"):
                    wrong.append(f"{page.relative_to(ROOT)}: no text {prefix}.{said}")
    assert not wrong, "\n".join(wrong)


def test_every_figure_the_code_asks_for_is_there() -> None:
    asked = [(at, name) for verb in ("figure", "seconds") for at, name, _ in _uses(verb)]
    assert not [f"{at}: {name}" for at, name in asked if name not in BOOK.parameters]


def test_every_figure_is_asked_for() -> None:
    asked = {name for verb in ("figure", "seconds", "at") for _, name, _ in _uses(verb)}
    patterns = [
        "".join(
            re.escape(str(p.value)) if isinstance(p, ast.Constant) else ".+" for p in name.values
        )
        for _, call in _calls()
        if _called(call) == "figure" and isinstance(name := call.args[0], ast.JoinedStr)
    ]
    for service in BOOK.catalogue:
        asked |= {str(a) for use in service.conditions for a in use.args.values()}
        asked |= {service.limits.review or ""}
        asked |= {service.reminder.days_before} if service.reminder else set()
    for field in BOOK.privacy.fields:
        asked |= {field.figure or "", *re.findall(r"\{([a-z_.]+)\}", field.note)}
    left = [n for n in BOOK.parameters if n not in asked]
    assert not [n for n in left if not any(re.fullmatch(p, n) for p in patterns)]


def test_every_state_and_event_of_the_table_has_its_words() -> None:
    for step in chain.from_iterable(TABLE.values()):
        assert TEXTS.has(f"events.{step.event}")
        assert TEXTS.has(f"states.{step.after}") and TEXTS.has(f"next.{step.after}")
        assert TEXTS.has(f"actors.{step.by}")


def test_a_missing_word_is_an_error_not_a_blank() -> None:
    with pytest.raises(KeyError):
        TEXTS.say("no.such.text")
    with pytest.raises(KeyError):
        TEXTS.say("bot.office", name="x")
    with pytest.raises(KeyError):
        TEXTS.refusal(Refusal("no-such-code"))


def test_every_refusal_says_what_to_do_next() -> None:
    for code in TEXTS.refusal_codes():
        params = {name: "某" for name in TEXTS.refusal_needs(code)}
        worded = TEXTS.refusal(Refusal(code, **params))
        assert worded.detail.endswith(("。", "某"))
        assert "{" not in worded.detail + worded.next


def test_a_mismatch_has_one_answer_and_names_offices() -> None:
    office = Office(
        "4101-VO", "郑州车管所", "vehicle_office", "4101", "某路1号", "周一至周五", "0371"
    )
    known = TEXTS.refusal(Refusal("identity-mismatch", offices=[office]))
    unknown = TEXTS.refusal(Refusal("identity-mismatch", offices=[]))
    assert known.detail == unknown.detail == "您填写的姓名、证件号码或手机号与登记信息不一致。"
    assert "郑州车管所（某路1号，周一至周五，电话0371）" in known.next
    assert "不能代办或邮寄" in known.next and "车管所" in unknown.next


def test_problems_of_a_form_are_told_by_label() -> None:
    problems = [{"part": "field:until", "label": "延期截止日期", "reason": "没有这一天"}]
    worded = TEXTS.refusal(Refusal("form-incomplete", fields=problems))
    assert "延期截止日期：没有这一天" in worded.detail


def test_deferral_notices_say_that_driving_is_forbidden() -> None:
    for event in ("approved", "finished"):
        notice = TEXTS.notice(event, "licence-deferral")
        assert "不得驾驶机动车" in notice.hint and "不得驾驶机动车" in notice.thing
    assert TEXTS.notice("approved") != TEXTS.notice("approved", "licence-deferral")


def test_a_template_is_asked_for_by_its_event() -> None:
    templates: Texts = TEXTS
    assert templates.sms_template("approved") == "SMS_MATTER_NOTICE"
    assert templates.consent_templates() == (templates.consent_template("approved"),)
