"""Portraits for tests: nobody's face, drawn."""

from bianmin.demo.faces import portrait_jpeg


def face(who: str = "somebody") -> bytes:
    """A portrait as an ID photo has it; the same for the same person."""
    return portrait_jpeg(who)
