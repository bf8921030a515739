"""The table of sealed places is whole: what the code seals for is listed, place by place."""

import ast
from collections.abc import Iterator
from pathlib import Path

from storage.sealed_places import SEALED, UNLISTED

ROOT = Path(__file__).parents[2]
PASSING = {"shared", "kept", "challenge", "outbox"}
"""Sealed for a while in Redis, or handed to a citizen's phone."""


def contexts_in(source: str) -> Iterator[str]:
    """The first part of every context something is sealed or opened for: ``place/…``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr not in ("seal", "open_text", "open_json", "open_bytes"):
                continue
            for argument in node.args[1:2]:
                first = argument.values[0] if isinstance(argument, ast.JoinedStr) else argument
                if isinstance(first, ast.Constant):
                    yield str(first.value).partition("/")[0]


def test_every_context_of_the_code_is_in_the_table() -> None:
    found = {
        context
        for folder in ("storage", "casework", "bot", "handlers", "miniprogram_api")
        for path in (ROOT / folder).rglob("*.py")
        for context in contexts_in(path.read_text())
    }
    assert {"sessions", "registry_licences", "officers", "late_messages"} <= found
    assert found - set(SEALED) - UNLISTED - PASSING == set()


def test_a_new_place_would_show() -> None:
    source = 'vault.seal(text, f"brand_new/{key}/x"); vault.open_json(blob, "other/y")'
    assert set(contexts_in(source)) == {"brand_new", "other"}
