"""``make docs``: the pages that are drawn from code. A test fails when one is out of date."""

from collections.abc import Mapping
from pathlib import Path

from rules.book import load_rulebook
from rules.flow import TABLE

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


def pages() -> Mapping[Path, str]:
    """Every generated page with its content."""
    return {FOLDER / "matter-life.md": matter_life()}


if __name__ == "__main__":
    for path, content in pages().items():
        path.write_text(content, encoding="utf-8")
        print(path.name)
