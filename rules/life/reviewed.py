"""``reviewed``: what a citizen applies for and an officer decides."""

from rules import guards
from rules.life.step import Step, each
from rules.matter import State

_D, _S, _C, _A, _R, _W, _F = (
    State.DRAFT,
    State.SUBMITTED,
    State.CORRECTION,
    State.APPROVED,
    State.REFUSED,
    State.WITHDRAWN,
    State.FINISHED,
)

ROWS: tuple[Step, ...] = (
    # drafting
    Step(None, "create", "citizen", "created", _D, guards.may_begin),
    Step(_D, "fill", "citizen", "filled", _D, guards.values_fit),
    Step(_D, "attach", "citizen", "attached", _D, guards.photo_fits),
    Step(_D, "detach", "citizen", "detached", _D, guards.photo_there),
    Step(_D, "submit", "citizen", "submitted", _S, guards.complete),
    Step(_D, "withdraw", "citizen", "discarded", _W),
    Step(_D, "expire", "system", "discarded", _W, guards.draft_forgotten),
    # under review
    Step(_S, "approve", "officer", "approved", _A, guards.approval),
    Step(_S, "send_back", "officer", "sent_back", _C, guards.defects_named),
    Step(_S, "refuse", "officer", "refused", _R, guards.reason_given),
    Step(_S, "withdraw", "citizen", "withdrawn", _W),
    Step(_S, "urge", "citizen", "urged", _S, guards.urge_once_a_day),
    # correction (补正): only what the officer named is open
    Step(_C, "fill", "citizen", "filled", _C, guards.values_fit),
    Step(_C, "attach", "citizen", "attached", _C, guards.photo_fits),
    Step(_C, "detach", "citizen", "detached", _C, guards.photo_there),
    Step(_C, "submit", "citizen", "resubmitted", _S, guards.corrected),
    Step(_C, "withdraw", "citizen", "withdrawn", _W),
    # the mandate an agent acted by has ended: what he was about to do finds a newer version
    *each((_D, _S, _C), "part", "system", "agent_parted", None, guards.mandate_ended),
    # to the internal system and back
    *each((_A, _R), "export", "exchange", "exported", None, guards.batch_named),
    Step(_A, "acknowledge", "exchange", "finished", _F, guards.answer_given),
    Step(_R, "acknowledge", "exchange", "acknowledged", _R, guards.answer_given),
    *each((_A, _R), "reject", "exchange", "not_taken", None, guards.answer_given),
    # before what was granted ends
    *each((_A, _F), "remind", "system", "reminded", None, guards.remind_once),
)
