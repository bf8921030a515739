"""The generated pages say what the code says."""

from docs.generate import pages


def test_generated_pages_are_current() -> None:
    for path, content in pages().items():
        assert path.read_text(encoding="utf-8") == content, f"{path.name}: run make docs"
