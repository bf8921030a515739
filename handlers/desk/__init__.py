"""The officers' desk: server-rendered pages for the officers of an office.

A handler parses, calls one verb of ``casework`` and renders; it decides nothing. Every page is
usable without JavaScript and by keyboard alone.
"""

from tornado.routing import URLSpec

from handlers.desk import batches, exams, schools, student_moves, students
from handlers.desk.approve_many import ApproveManyHandler
from handlers.desk.base import STATIC_FOLDER, DeskStatic
from handlers.desk.contact import (
    ContactCodeHandler,
    ContactHandler,
    ContactPersonHandler,
    ContactReceiptHandler,
    ContactVisitHandler,
)
from handlers.desk.enrol_in_person import EnrolInPersonHandler
from handlers.desk.face_sign import (
    FaceSignCodeHandler,
    FaceSignHandler,
    FaceSignPersonHandler,
    FaceSignPictureHandler,
    FaceSignPortraitHandler,
    FaceSignReceiptHandler,
    FaceSignVisitHandler,
)
from handlers.desk.help import HelpHandler
from handlers.desk.login import LoginHandler, LogoutHandler
from handlers.desk.matters import DecisionHandler, MatterHandler, PhotoHandler
from handlers.desk.password import PasswordHandler
from handlers.desk.worklist import FindHandler, NextHandler, RootHandler, WorkListHandler

_BATCH = r"(?P<batch_id>[\w-]{22})"
_NUMBER = r"(?P<number>[0-9]{1,20})"
_VISIT = r"(?P<visit>[\w-]{43})"


def routes() -> list[URLSpec]:
    """The addresses of this door."""
    return [
        URLSpec(r"/desk", RootHandler),
        URLSpec(r"/desk/", WorkListHandler),
        URLSpec(r"/desk/login", LoginHandler),
        URLSpec(r"/desk/logout", LogoutHandler),
        URLSpec(r"/desk/password", PasswordHandler),
        URLSpec(r"/desk/find", FindHandler),
        URLSpec(r"/desk/approve-many", ApproveManyHandler),
        URLSpec(r"/desk/enrol", EnrolInPersonHandler),
        URLSpec(r"/desk/next", NextHandler),
        URLSpec(rf"/desk/matters/{_NUMBER}", MatterHandler),
        URLSpec(rf"/desk/matters/{_NUMBER}/decision", DecisionHandler),
        URLSpec(rf"/desk/matters/{_NUMBER}/leave", student_moves.LeaveAtOfficeHandler),
        URLSpec(rf"/desk/matters/{_NUMBER}/photos/(?P<photo_id>[\w-]{{1,64}})", PhotoHandler),
        URLSpec(r"/desk/face-sign", FaceSignHandler),
        URLSpec(r"/desk/face-sign/person", FaceSignPersonHandler),
        URLSpec(r"/desk/schools", schools.SchoolsHandler),
        URLSpec(r"/desk/schools/clerk", schools.ClerkHandler),
        URLSpec(r"/desk/students", students.StudentsHandler),
        URLSpec(r"/desk/students/new", students.NewStudentHandler),
        URLSpec(r"/desk/students/transfer", student_moves.TransferHandler),
        URLSpec(rf"/desk/students/{_NUMBER}", students.StudentHandler),
        URLSpec(rf"/desk/students/{_NUMBER}/leave", student_moves.LeaveHandler),
        URLSpec(
            rf"/desk/students/{_NUMBER}/photos/(?P<photo_id>[\w-]{{1,64}})",
            students.StudentPhotoHandler,
        ),
        URLSpec(r"/desk/batches", batches.BatchesHandler),
        URLSpec(r"/desk/batches/template\.(?P<kind>csv|xlsx)", batches.TemplateHandler),
        URLSpec(rf"/desk/batches/{_BATCH}", batches.BatchHandler),
        URLSpec(rf"/desk/batches/{_BATCH}/errors\.csv", batches.ErrorsHandler),
        URLSpec(
            rf"/desk/batches/{_BATCH}/corrections\.(?P<kind>csv|xlsx)", batches.CorrectionsHandler
        ),
        URLSpec(rf"/desk/face-sign/{_VISIT}", FaceSignVisitHandler),
        URLSpec(rf"/desk/face-sign/{_VISIT}/picture", FaceSignPictureHandler),
        URLSpec(rf"/desk/face-sign/{_VISIT}/portrait", FaceSignPortraitHandler),
        URLSpec(rf"/desk/face-sign/{_VISIT}/code", FaceSignCodeHandler),
        URLSpec(rf"/desk/face-sign/{_VISIT}/receipt", FaceSignReceiptHandler),
        URLSpec(r"/desk/contact", ContactHandler),
        URLSpec(r"/desk/contact/person", ContactPersonHandler),
        URLSpec(rf"/desk/contact/{_VISIT}", ContactVisitHandler),
        URLSpec(rf"/desk/contact/{_VISIT}/code", ContactCodeHandler),
        URLSpec(rf"/desk/contact/{_VISIT}/receipt", ContactReceiptHandler),
        *exams.routes(),
        URLSpec(r"/desk/help", HelpHandler),
        URLSpec(r"/desk/static/(.*)", DeskStatic, {"path": str(STATIC_FOLDER)}),
    ]
