"""What a service asks for: fields of its form and materials to photograph."""

from dataclasses import dataclass

FIELD_TYPES = frozenset({"text", "date", "choice", "phone", "id_number", "name"})
MATERIAL_TIMES = frozenset({"always", "agent"})
"""When a material is asked for: always, or only of an agent who acts for somebody else."""


@dataclass(frozen=True)
class Option:
    """One answer of a choice; ``also`` are other words people use for it."""

    value: str
    label: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Checks:
    """What a value must keep to: ``max_length`` characters of a text, a date ``after_today``, or
    ``until_today``: today or before."""

    max_length: int | None = None
    after_today: bool = False
    until_today: bool = False


@dataclass(frozen=True)
class Field:
    """One field of a service's form."""

    name: str
    label: str
    type: str
    required: bool
    checks: Checks
    options: tuple[Option, ...]
    help: str
    example: str


@dataclass(frozen=True)
class MaterialSpec:
    """One material: ``shows`` says what the photo must show; ``when`` says when it is asked for."""

    name: str
    label: str
    shows: str
    required: bool
    max_photos: int
    when: str = "always"
