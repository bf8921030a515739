"""Mobile phone numbers of the mainland, as people write them."""

import re
import unicodedata

from rules.refusals import Refusal

_MOBILE = re.compile(r"1[3-9]\d{9}", re.ASCII)
_FILLING = str.maketrans("", "", " \t\u3000-–—()（）.")


def normalise(text: str) -> str:
    """Eleven digits, from full-width digits, spaces, hyphens and a leading +86 or 0086.

    Raises Refusal ``phone-invalid``. Numbers are those of 工信部's numbering plan: 13 to 19.
    """
    digits = unicodedata.normalize("NFKC", text).translate(_FILLING)
    for prefix in ("+86", "0086", "86"):
        if digits.startswith(prefix) and len(digits) == 11 + len(prefix):
            digits = digits.removeprefix(prefix)
            break
    if not _MOBILE.fullmatch(digits):
        raise Refusal("phone-invalid")
    return digits
