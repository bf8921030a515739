"""Matter numbers: twelve digits that nobody can guess or count, the last one a check digit.

A number is made from the cause that begins the matter under the index key: the same request
always gets the same number, so a repeated one cannot begin a second matter.
"""

from stdnum.iso7064 import mod_11_10

from storage.vault import Vault

_DIGITS = 11


def number_for(vault: Vault, cause: str, attempt: int = 0) -> str:
    """The matter number of a cause. ``attempt`` counts up when another cause holds the number."""
    index = vault.index("matter-number", f"{cause}#{attempt}")
    body = str(int.from_bytes(index.encode()[:16], "big") % 10**_DIGITS).zfill(_DIGITS)
    return body + mod_11_10.calc_check_digit(body)


def is_number(text: str) -> bool:
    """Whether a text is a well-formed matter number."""
    return (
        len(text) == _DIGITS + 1
        and text.isascii()
        and text.isdigit()
        and bool(mod_11_10.is_valid(text))
    )
