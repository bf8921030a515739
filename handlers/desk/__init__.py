"""The officers' desk: server-rendered pages for the officers of an office.

A handler parses, calls one verb of ``casework`` and renders; it decides nothing. Every page is
usable without JavaScript and by keyboard alone.
"""

from tornado.routing import URLSpec

from handlers.desk.base import STATIC_FOLDER, DeskStatic
from handlers.desk.face_sign import FaceSignHandler, FaceSignPersonHandler, FaceSignReceiptHandler
from handlers.desk.help import HelpHandler
from handlers.desk.login import LoginHandler, LogoutHandler
from handlers.desk.matters import DecisionHandler, MatterHandler, PhotoHandler
from handlers.desk.worklist import FindHandler, NextHandler, RootHandler, WorkListHandler

_NUMBER = r"(?P<number>[0-9]{1,20})"


def routes() -> list[URLSpec]:
    """The addresses of this door."""
    return [
        URLSpec(r"/desk", RootHandler),
        URLSpec(r"/desk/", WorkListHandler),
        URLSpec(r"/desk/login", LoginHandler),
        URLSpec(r"/desk/logout", LogoutHandler),
        URLSpec(r"/desk/find", FindHandler),
        URLSpec(r"/desk/next", NextHandler),
        URLSpec(rf"/desk/matters/{_NUMBER}", MatterHandler),
        URLSpec(rf"/desk/matters/{_NUMBER}/decision", DecisionHandler),
        URLSpec(rf"/desk/matters/{_NUMBER}/photos/(?P<photo_id>[\w-]{{1,64}})", PhotoHandler),
        URLSpec(r"/desk/face-sign", FaceSignHandler),
        URLSpec(r"/desk/face-sign/person", FaceSignPersonHandler),
        URLSpec(r"/desk/face-sign/receipt", FaceSignReceiptHandler),
        URLSpec(r"/desk/help", HelpHandler),
        URLSpec(r"/desk/static/(.*)", DeskStatic, {"path": str(STATIC_FOLDER)}),
    ]
