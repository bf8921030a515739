"""What may be shown of numbers and names: enough to recognise one's own, not to use another's."""


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
