"""``enrolment``: a driving student, entered by a school or in person at the vehicle office. What he
learns and is tested in lies in the same timeline: it is his record."""

from rules import enrolments, guards
from rules.exams import learning
from rules.life.step import Step, each
from rules.matter import State

_S, _C, _A, _R, _W, _F = (
    State.SUBMITTED,
    State.CORRECTION,
    State.APPROVED,
    State.REFUSED,
    State.WITHDRAWN,
    State.FINISHED,
)
_IN_PERSON = enrolments.may_enrol_in_person

ROWS: tuple[Step, ...] = (
    # entered and reviewed
    Step(None, "enrol", "school", "enrolled", _S, enrolments.may_enrol),
    Step(None, "enrol_in_person", "officer", "enrolled_in_person", _A, _IN_PERSON),
    Step(_S, "approve", "officer", "approved", _A, enrolments.approval),
    Step(_S, "send_back", "officer", "sent_back", _C, guards.defects_named),
    Step(_S, "refuse", "officer", "refused", _R, guards.reason_given),
    Step(_C, "amend", "school", "amended", _S, enrolments.amended),
    # leaving the school, or going over to another one
    *each((_S, _C), "leave", "school", "withdrawn", _W, enrolments.leaves),
    Step(_A, "leave", "school", "left", _W, enrolments.leaves),
    Step(_A, "leave", "officer", "left", _W, enrolments.leaves_at_office),
    *each((_S, _C, _A), "transfer", "school", "transferred", None, enrolments.transfers),
    # a student until the licence is issued, or the time for learning is over
    Step(_A, "activate", "citizen", "activated", _A, enrolments.activates),
    Step(_A, "licence_issued", "exchange", "licence_issued", _F, enrolments.licensed),
    Step(_A, "lapse", "system", "lapsed", _W, enrolments.lapses),
    # his record: the learner permit, each sitting
    Step(_A, "issue_permit", "exchange", "permit_issued", _A, learning.permit),
    Step(_A, "record_attempt", "system", "attempt_recorded", _A, learning.attempt),
    Step(_A, "correct_attempt", "system", "attempt_corrected", _A, learning.correction),
    # what his record says and he has not been told yet
    Step(_A, "void", "system", "exams_voided", _A, learning.voids),
    Step(_A, "restore", "system", "exams_restored", _A, learning.restores),
    Step(_A, "complete", "system", "exams_passed", _A, learning.completes),
    Step(_A, "reopen", "system", "exams_reopened", _A, learning.reopens),
)
