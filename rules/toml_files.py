"""Reading the TOML files of the rules strictly: an unknown or missing key stops the start."""

import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any, TypeVar

T = TypeVar("T")


class RulebookError(Exception):
    """A file of the rules is wrong. The message names the file and the key."""


def read_folder(package: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every TOML file of a package folder, in order of its name: (file name, content).

    Raises RulebookError when a file is no TOML.
    """
    folder = files(package)
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if entry.name.endswith(".toml"):
            yield entry.name, parse(entry.name, entry.read_text("utf-8"))


def parse(file: str, text: str) -> Mapping[str, Any]:
    """The content of one TOML file. Raises RulebookError naming the file."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RulebookError(f"{file}: {error}") from error


class Table:
    """One TOML table being read: every key is taken once, and none may be left over."""

    def __init__(self, file: str, path: str, content: Any) -> None:
        if not isinstance(content, Mapping):
            raise RulebookError(f"{file}: {path} must be a table")
        self.file = file
        self.path = path
        self._left = dict(content)

    def fail(self, key: str, problem: str) -> RulebookError:
        """The error for one key of this table."""
        where = f"{self.path}.{key}" if self.path else key
        return RulebookError(f"{self.file}: {where} {problem}")

    def take(self, key: str, kind: type[T], default: T | None = None) -> T:
        """The value of a key; RulebookError if missing without default, or of another type."""
        if key not in self._left:
            if default is None:
                raise self.fail(key, "is missing")
            return default
        value = self._left.pop(key)
        # bool is an int to Python, datetime a date; in a rule file either would be a slip.
        if type(value) is not kind:
            raise self.fail(key, f"must be of type {kind.__name__}")
        if value == "":
            raise self.fail(key, "must not be empty")
        return value

    def take_any(self, key: str) -> Any:
        """The value of a key, of whatever type. Raises RulebookError if missing."""
        if key not in self._left:
            raise self.fail(key, "is missing")
        return self._left.pop(key)

    def has(self, key: str) -> bool:
        """Whether the key is there and not taken yet."""
        return key in self._left

    def words(self, key: str, required: bool = False) -> tuple[str, ...]:
        """A list of non-empty strings; empty when the key is missing and not required."""
        found = self.take(key, list, None if required else [])
        if not all(isinstance(word, str) and word for word in found):
            raise self.fail(key, "must be a list of words")
        if required and not found:
            raise self.fail(key, "must not be empty")
        return tuple(found)

    def table(self, key: str, required: bool = True) -> "Table":
        """A table inside this one; an empty one when missing and not required."""
        content = self._left.pop(key, None if required else {})
        if content is None:
            raise self.fail(key, "is missing")
        return Table(self.file, f"{self.path}.{key}" if self.path else key, content)

    def tables(self, key: str) -> tuple["Table", ...]:
        """An array of tables; empty when missing."""
        found = self.take(key, list, [])
        base = f"{self.path}.{key}" if self.path else key
        return tuple(Table(self.file, f"{base}[{i}]", item) for i, item in enumerate(found))

    def left(self) -> tuple[str, ...]:
        """The keys not taken yet."""
        return tuple(self._left)

    def done(self) -> None:
        """Raise RulebookError if anything is left that nobody asked for."""
        if self._left:
            raise self.fail(next(iter(self._left)), "is not a known key")
