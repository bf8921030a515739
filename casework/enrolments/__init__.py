"""Driving students: entered by a school or at the vehicle office, reviewed, moved, let go.

The matter's applicant is the student. One live enrolment a person: ``storage.enrolments`` claims
his place before the matter begins.
"""

from casework.enrolments.activating import activate
from casework.enrolments.amending import amend
from casework.enrolments.entering import enrol, enrol_in_person
from casework.enrolments.leaving import (
    StudentCode,
    ask_leave_code,
    ask_student_code,
    in_person,
    leave,
    leave_in_person,
    transfer,
)
from casework.enrolments.licensing import licence_issued
from casework.enrolments.listing import (
    STUDENT_STATES,
    StudentList,
    StudentRow,
    StudentView,
    student,
    student_photo,
    students,
)
from casework.enrolments.outcome import Enrolled
from casework.enrolments.permits import permit_issued
from casework.enrolments.reviewing import approve_many

__all__ = [
    "STUDENT_STATES",
    "Enrolled",
    "StudentCode",
    "StudentList",
    "StudentRow",
    "StudentView",
    "activate",
    "amend",
    "approve_many",
    "ask_leave_code",
    "ask_student_code",
    "enrol",
    "enrol_in_person",
    "in_person",
    "leave",
    "leave_in_person",
    "licence_issued",
    "permit_issued",
    "student",
    "student_photo",
    "students",
    "transfer",
]
