"""Names as they stand on the ID card: Chinese characters, with · inside names of minorities."""

import unicodedata

from rules.refusals import Refusal

_LONGEST = 50
_DOTS = str.maketrans(dict.fromkeys(".•・‧∙⋅᛫●．。", "·"))


def normalise(text: str) -> str:
    """The name without spaces, every dot people type instead of · made one.

    Raises Refusal ``name-invalid``: anything but Chinese characters and single inner dots,
    fewer than two characters, more than fifty.
    """
    name = "".join(unicodedata.normalize("NFKC", text).split()).translate(_DOTS)
    parts = name.split("·")
    if not 2 <= len(name) <= _LONGEST or not all(parts) or not all(map(_chinese, "".join(parts))):
        raise Refusal("name-invalid")
    return name


def _chinese(character: str) -> bool:
    # 〇 and every CJK ideograph: rare characters of names lie in the extensions too.
    name = unicodedata.name(character, "")
    return character == "〇" or name.startswith("CJK UNIFIED IDEOGRAPH")
