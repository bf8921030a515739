"""``make docs``: the pages that are drawn from code. A test fails when one is out of date."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rules import permissions as tiers
from rules import roles
from rules.book import load_rulebook
from rules.flow import TABLE
from rules.people import Tier

FOLDER = Path(__file__).parent


def matter_life() -> str:
    """The life of a matter from ``rules.flow.TABLE``: one diagram for each kind of service."""
    texts = load_rulebook().texts
    lines = [
        "# The life of a matter",
        "",
        "Drawn from the table in `rules/flow.py` by `make docs`. An arrow is an action, who may",
        "take it, and the event it leaves in the timeline.",
    ]
    for kind in sorted({kind for step in TABLE for kind in step.kinds}):
        lines += ["", f"## {kind}", "", "```mermaid", "stateDiagram-v2"]
        states = {s for step in TABLE if kind in step.kinds for s in (step.before, step.after) if s}
        for state in sorted(states):
            lines.append(f"    {state.value}: {state.value} {texts.say(f'states.{state.value}')}")
        for step in TABLE:
            if kind in step.kinds:
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


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def pages() -> Mapping[Path, str]:
    """Every generated page with its content."""
    return {
        FOLDER / "matter-life.md": matter_life(),
        FOLDER / "permissions.md": permissions(),
    }


if __name__ == "__main__":
    for path, content in pages().items():
        path.write_text(content, encoding="utf-8")
        print(path.name)
