"""``make docs``: the pages that are drawn from code. A test fails when one is out of date."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rules import permissions as tiers
from rules import roles
from rules.book import load_rulebook
from rules.flow import TABLE
from rules.masking import SCREENS, Show
from rules.people import Tier
from rules.privacy import kept

FOLDER = Path(__file__).parent
_CELLS = {
    "date": "日期，例如 2027-03-01",
    "number": "整数",
    "id_number": "18位，含校验位",
    "phone": "11位",
    "code": "字母、数字和连字符",
}
"""What a cell of each type looks like in a file."""


def matter_life() -> str:
    """The life of a matter from ``rules.flow.TABLE``: one diagram for each kind of service."""
    texts = load_rulebook().texts
    lines = [
        "# The life of a matter",
        "",
        "Drawn from the rows in `rules/life/` by `make docs`. An arrow is an action, who may",
        "take it, and the event it leaves in the timeline.",
    ]
    for kind, rows in sorted(TABLE.items()):
        lines += ["", f"## {kind}", "", "```mermaid", "stateDiagram-v2"]
        states = {state for step in rows for state in (step.before, step.after) if state}
        for state in sorted(states):
            lines.append(f"    {state.value}: {state.value} {texts.say(f'states.{state.value}')}")
        for step in rows:
            before = step.before.value if step.before else "[*]"
            label = f"{step.action} ({step.by}) → {step.event}"
            lines.append(f"    {before} --> {step.after.value}: {label}")
        lines.append("```")
    return "\n".join(lines) + "\n"


def permissions() -> str:
    """What each tier may do, where it is done at a window, and what each desk role may do."""
    texts = load_rulebook().texts
    offices = {kind: texts.say(f"office_kinds.{kind}") for kind in texts.under("office_kinds")}
    lines = [
        "# Who may do what",
        "",
        "Drawn from `rules/permissions.py` and `rules/roles.py` by `make docs`. Every channel asks",
        "these tables and decides by nothing else; a property test holds every sequence of verbs",
        "against them.",
        "",
        "## Citizens: tier × kind of business",
        "",
        "Tiers combine: one ● of a person's tiers is enough. The last column is where the business",
        "is done at a window, and what a refusal names: the offices that issued the citizen's",
        "licence or registered his vehicles, else those of his region.",
        "",
    ]
    labels = [f"{t.value} {texts.say(f'tiers.{t}')}" for t in Tier]
    lines += [_row(["Business", "none", *labels, "At the window"]), _row(["---"] * (len(Tier) + 3))]
    for business in tiers.PERMISSIONS:
        marks = ["●" if tiers.may(held, business) else "" for held in [[], *([t] for t in Tier)]]
        named = f"{business} {texts.say(f'businesses.{business}')}"
        lines.append(_row([named, *marks, "、".join(offices[k] for k in tiers.WINDOWS[business])]))
    lines += ["", "## Where a tier is given", "", _row(["Tier", "Where"]), _row(["---"] * 2)]
    for tier, label in zip(Tier, labels, strict=True):
        where = "、".join(offices[k] for k in tiers.GIVEN_AT[tier])
        lines.append(_row([label, where or texts.say("office_kinds.online")]))
    lines += [
        "",
        "## Officers: role × permission",
        "",
        "What an officer sees is bounded by his office as well.",
        "",
    ]
    columns = sorted(roles.ROLES)
    lines += [_row(["Permission", *columns]), _row(["---"] * (len(columns) + 1))]
    for permission in roles.PERMISSIONS:
        marks = ["●" if roles.role_may(role, permission) else "" for role in columns]
        lines.append(_row([permission, *marks]))
    return "\n".join(lines) + "\n"


def privacy() -> str:
    """What is held about persons, from ``rules/privacy.toml`` by today's figures, and which screen
    shows what."""
    book = load_rulebook()
    table = book.privacy
    on = max(start for name in book.parameters for start, _ in book.parameters.history(name))
    lines = [
        "# What is held about persons",
        "",
        "Drawn from `rules/privacy.toml` and `rules/masking.py` by `make docs`. The same table is",
        "what citizens read at `/privacy`, in `GET /api/v1/privacy` and in the chat (隐私). A test",
        "walks the stored collections and fails on a path that stands in no row here.",
        "",
        f"处理者：{table.controller}，咨询电话{table.contact}。",
        "",
        "## Fields",
    ]
    for field in table.fields:
        mark = "（敏感）" if field.sensitive else ""
        places = "、".join(f"`{p}`" for p in field.paths) or "not in MongoDB"
        lines += [
            "",
            f"### {field.label}{mark}",
            "",
            f"* 目的：{field.purpose}",
            f"* 依据：{'；'.join(table.bases[code].text for code in field.basis)}",
            f"* 提供给：{field.recipients}",
            f"* 保存：{kept(field, book.parameters, on)}"
            + (f"（`{field.figure}`）" if field.figure else ""),
            f"* 保护：{field.form}；{field.masking}",
            f"* 注销账户时：{book.texts.say(f'privacy.closing.{field.closing}')}",
            f"* Group `{field.group}`, stored at {places}",
        ]
    lines += [
        "",
        "## Which screen shows what",
        "",
        "● in clear, ○ masked. The access log names the same groups.",
        "",
    ]
    groups = list(dict.fromkeys(g for shown in SCREENS.values() for g in shown))
    lines += [_row(["Screen", *groups]), _row(["---"] * (len(groups) + 1))]
    signs = {Show.CLEAR: "●", Show.MASKED: "○"}
    for screen, shown in SCREENS.items():
        lines.append(_row([screen, *(signs[shown[g]] if g in shown else "" for g in groups)]))
    lines += ["", "## The notice", ""]
    for notice in table.notices:
        lines += [f"### {notice.version}, from {notice.start.isoformat()}", "", notice.text, ""]
    return "\n".join(lines).rstrip() + "\n"


def files() -> str:
    """The columns of each kind of file, from ``rules/formats/``."""
    book = load_rulebook()
    lines = [
        "# Files of the internal systems",
        "",
        "Drawn from `rules/formats/` by `make docs`. Files are CSV in UTF-8 with a header line",
        "of column names, in any order; a column that is not required may be left out.",
        "",
        "`bianmin import KIND FILE` takes every row that fits and lists the others with line,",
        "column and reason in `FILE.errors.csv` beside the file. Put those right and import the",
        "file again: a row that was taken changes nothing the second time. `portraits` is a ZIP",
        "with one picture a person, named by the ID number.",
    ]
    for layout in book.formats:
        way = {"students": "at the desk, 批量报名"}.get(
            layout.kind, f"`bianmin {layout.direction} {layout.kind} FILE`"
        )
        lines += ["", f"## {layout.kind} {layout.title}", "", f"Way: {way}.", ""]
        lines += [_row(["Column", "Name", "Required", "What stands there"]), _row(["---"] * 4)]
        for column in layout.columns:
            told = [_CELLS.get(column.type, ""), "、".join(column.options), column.help]
            cells = [f"`{column.name}`", column.label, "●" if column.required else ""]
            lines.append(_row([*cells, "；".join(part for part in told if part)]))
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def pages() -> Mapping[Path, str]:
    """Every generated page with its content."""
    return {
        FOLDER / "files.md": files(),
        FOLDER / "matter-life.md": matter_life(),
        FOLDER / "permissions.md": permissions(),
        FOLDER / "privacy.md": privacy(),
    }


if __name__ == "__main__":
    for path, content in pages().items():
        path.write_text(content, encoding="utf-8")
        print(path.name)
