"""``window``: what is done in person, and recorded by an officer at once."""

from rules import contacts, facesign, guards
from rules.life.step import Step
from rules.matter import State

_F = State.FINISHED

ROWS: tuple[Step, ...] = (
    Step(None, "face_sign", "officer", "face_signed", _F, facesign.right_office),
    Step(None, "change_contact", "officer", "contact_changed", _F, contacts.change),
    # to the internal system and back
    Step(_F, "export", "exchange", "exported", _F, guards.batch_named),
    Step(_F, "acknowledge", "exchange", "acknowledged", _F, guards.answer_given),
    Step(_F, "reject", "exchange", "not_taken", _F, guards.answer_given),
)
