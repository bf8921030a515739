"""What may be shown of numbers and names: enough to recognise one's own, not to use another's.

``SCREENS`` says for every screen which field groups are on it, in clear or masked; what a screen
does not name is not on it. The access log names the same groups, so what was shown and what was
written down cannot differ.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum


class Show(StrEnum):
    """How a field group appears on a screen."""

    CLEAR = "clear"
    MASKED = "masked"


_CLEAR, _MASKED = Show.CLEAR, Show.MASKED
_PERSON = {"name": _CLEAR, "id_number": _CLEAR, "phone": _CLEAR}
_PERSON_MASKED = {"name": _MASKED, "id_number": _MASKED, "phone": _MASKED}

SCREENS: Mapping[str, Mapping[str, Show]] = {
    "api.me": {**_PERSON_MASKED, "licence": _MASKED},
    "api.export": {
        **_PERSON,
        "account": _CLEAR,
        "licence": _CLEAR,
        "vehicles": _CLEAR,
        "form": _CLEAR,
        "photos": _CLEAR,
        "timeline": _CLEAR,
        "notices": _CLEAR,
        "looks": _CLEAR,
    },
    "api.mandates": {"name": _CLEAR, "mandate": _CLEAR},
    "chat.me": {"name": _MASKED, "phone": _MASKED},
    "desk.worklist": {"name": _MASKED},
    "desk.matter": {
        **_PERSON,
        "form": _CLEAR,
        "licence": _CLEAR,
        "vehicles": _CLEAR,
        "timeline": _CLEAR,
        "notices": _CLEAR,
    },
    "desk.agent": {**_PERSON, "mandate": _CLEAR},
    "desk.face_sign": {**_PERSON, "licence": _CLEAR, "vehicles": _CLEAR},
    "desk.face_sign_elsewhere": _PERSON_MASKED,
    "desk.face_sign_receipt": {**_PERSON_MASKED, "licence": _CLEAR, "vehicles": _CLEAR},
    "desk.exam_plan": {"name": _MASKED, "exams": _CLEAR},
    "desk.exam_caller": _PERSON_MASKED,
    "desk.exam_visit": {**_PERSON, "exams": _CLEAR},
    "desk.exam_receipt": {"name": _MASKED, "id_number": _MASKED, "exams": _CLEAR},
    "desk.exam_results": {"name": _MASKED, "id_number": _MASKED, "exams": _CLEAR},
    "desk.booking": {**_PERSON, "exams": _CLEAR, "timeline": _CLEAR, "notices": _CLEAR},
    "desk.exams_untold": {"name": _MASKED, "exams": _CLEAR},
    "desk.photo": {"photo": _CLEAR},
    "school.students": {"name": _MASKED, "id_number": _MASKED},
    "school.student": {**_PERSON, "form": _CLEAR, "timeline": _CLEAR},
    "school.corrections": {**_PERSON, "form": _CLEAR},
}
"""Screen -> field group -> how it is shown there. ``desk.face_sign_elsewhere`` is what an office
sees that may not sign the person up; ``desk.exam_caller`` what is seen of a caller
until he has read back his code."""


LOOKS: frozenset[str] = frozenset(group for shown in SCREENS.values() for group in shown) | {
    *("portrait", "counter_picture", "conditions", "school", "clerk", "mandate"),
}
"""Every field group an entry of the access log may name."""


def look_group(named: str) -> str:
    """The group of what an entry names: ``photo:<id>`` is ``photo``, ``name-masked`` is ``name``.
    KeyError for one that is none."""
    group = named.partition(":")[0].removesuffix("-masked")
    if group not in LOOKS:
        raise KeyError(f"{named!r} is no field group of rules.masking")
    return group


def groups(screen: str) -> tuple[str, ...]:
    """What the access log names for a screen: the group, or ``<group>-masked``. KeyError for an
    unknown screen."""
    return tuple(
        f"{group}-masked" if show is Show.MASKED else group
        for group, show in SCREENS[screen].items()
    )


def groups_naming(screen: str, group: str, which: str) -> tuple[str, ...]:
    """As ``groups``, the one ``group`` named with the thing it is of: a list of people is found
    again in the log by the session it was of."""
    return tuple(f"{group}:{which}" if name == group else name for name in groups(screen))


def shown(screen: str, group: str, value: str) -> str:
    """A value as a screen may show it; empty where the screen has no such group."""
    show = SCREENS[screen].get(group)
    if show is None:
        return ""
    return value if show is Show.CLEAR else _MASKS[group](value)


def mask_id(number: str) -> str:
    """``410105199001011234`` -> ``4101**********1234``."""
    return _middle(number, 4, 4)


def mask_licence(number: str) -> str:
    """A licence number is its holder's ID number, so it is masked the same way."""
    return mask_id(number)


def mask_phone(phone: str) -> str:
    """``13812345678`` -> ``138****5678``."""
    return _middle(phone, 3, 4)


def mask_plate(plate: str) -> str:
    """``豫A12345`` -> ``豫A***45``."""
    return _middle(plate, 2, 2)


def mask_name(name: str) -> str:
    """The family name, then a star for each other character: ``王小明`` -> ``王**``."""
    return name[:1] + "*" * (len(name) - 1)


def _middle(text: str, head: int, tail: int) -> str:
    # Too short to keep both ends hidden enough: show nothing.
    if len(text) < head + tail + 2:
        return "*" * len(text)
    return text[:head] + "*" * (len(text) - head - tail) + text[-tail:]


_MASKS: Mapping[str, Callable[[str], str]] = {
    "name": mask_name,
    "id_number": mask_id,
    "phone": mask_phone,
    "licence": mask_licence,
}
