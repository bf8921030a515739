"""The control API under /sandbox/: what a person does, what reached him, and the switches of the
gateways.
"""

from typing import Any

import orjson
from tornado.web import HTTPError, RequestHandler

from sandbox.people import Person
from sandbox.receipts import Receipts
from sandbox.wechat_push import Envelope, Pusher
from sandbox.world import World


class ControlHandler(RequestHandler):
    """Base: JSON in, JSON out, errors as {"error"}."""

    def initialize(self, world: World, pusher: Pusher, receipts: Receipts) -> None:
        self.world = world
        self.pusher = pusher
        self.receipts = receipts

    def json_body(self) -> dict[str, Any]:
        """The body as an object; an empty body is an empty object."""
        try:
            body = orjson.loads(self.request.body or b"{}")
        except orjson.JSONDecodeError as error:
            raise HTTPError(400, reason="body is not JSON") from error
        if not isinstance(body, dict):
            raise HTTPError(400, reason="body is not an object")
        return body

    def person(self, key: str) -> Person:
        """The person; 404 when there is none."""
        person = self.world.people.by_id.get(key)
        if person is None:
            raise HTTPError(404, reason="no such person")
        return person

    def answer(self, value: Any) -> None:
        """Finish with JSON."""
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.finish(orjson.dumps(value))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.answer({"error": self._reason})


class PeopleHandler(ControlHandler):
    def get(self) -> None:
        self.answer([person.show() for person in self.world.people.by_id.values()])

    def post(self) -> None:
        wish = self.json_body()
        person = self.world.add_person(
            str(wish.get("name") or ""), str(wish.get("phone") or ""), wish.get("follow", True)
        )
        self.answer(person.show())


class PersonHandler(ControlHandler):
    def get(self, key: str) -> None:
        self.answer(self.person(key).show())


class ChatHandler(ControlHandler):
    def get(self, key: str) -> None:
        self.answer(self.person(key).chat)


class LoginCodeHandler(ControlHandler):
    def post(self, key: str, purpose: str) -> None:
        code = self.world.codes.issue(self.person(key).id, purpose, self.world.now())
        self.answer({"code": code})


class ConsentHandler(ControlHandler):
    def post(self, key: str) -> None:
        person, wish = self.person(key), self.json_body()
        template_id = wish.get("template_id")
        if template_id not in self.world.templates.subscribe:
            raise HTTPError(400, reason="no such subscribe template")
        self.world.record(
            "consent",
            person=person.id,
            template_id=template_id,
            accept=wish.get("accept", True) is True,
            long_term=wish.get("long_term", False) is True,
        )
        self.answer(person.show())


class SayHandler(ControlHandler):
    """What a person sends: text, image, voice, video, location, link or an event."""

    async def post(self, key: str, kind: str) -> None:
        person = self.person(key)
        if kind == "image":
            wish, shown, fields = self._image()
        else:
            wish = self.json_body()
            shown, fields = _event(wish) if kind == "event" else _message(kind, wish)
        event = shown.get("event")
        if event in {"subscribe", "unsubscribe"}:
            self.world.record("follow", person=person.id, follows=event == "subscribe")
        elif not person.follows:
            raise HTTPError(409, reason="the person does not follow the account")
        self.world.record("chat", person=person.id, via="person", **{"from": "person", **shown})
        raw = wish.get("raw")
        envelope = Envelope(
            encrypted=wish.get("encrypted", self.world.settings.encrypted),
            raw=raw.encode() if isinstance(raw, str) else None,
            query={name: str(value) for name, value in wish.get("query", {}).items()},
        )
        pushed = await self.pusher.push(
            person,
            fields,
            envelope=envelope,
            msg_id=str(wish["msg_id"]) if wish.get("msg_id") else None,
            quiet=event == "unsubscribe",
        )
        self.answer(pushed.show())

    def _image(self) -> tuple[dict[str, Any], dict[str, Any], dict[str, str]]:
        """An image as one multipart file or as the raw body; options come as query parameters."""
        files = [file for group in self.request.files.values() for file in group]
        data = files[0].body if files else self.request.body
        if not data:
            raise HTTPError(400, reason="no image")
        given = self.request.headers.get("Content-Type", "image/jpeg")
        kind = files[0].content_type if files else given
        media_id = self.world.media.add(data, kind, self.world.now())
        address = f"{self.request.protocol}://{self.request.host}/sandbox/media/{media_id}"
        wish: dict[str, Any] = {"msg_id": self.get_query_argument("msg_id", "")}
        if self.get_query_argument("encrypted", "true") == "false":
            wish["encrypted"] = False
        fields = {"MsgType": "image", "PicUrl": address, "MediaId": media_id}
        return wish, {"type": "image", "media_id": media_id}, fields


def _message(kind: str, wish: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    def need(name: str) -> str:
        value = wish.get(name)
        if value in {None, ""}:
            raise HTTPError(400, reason=f"{name} is missing")
        return str(value)

    if kind == "say":
        text = need("text")
        return {"type": "text", "text": text}, {"MsgType": "text", "Content": text}
    if kind == "voice":
        heard = str(wish.get("recognition") or "")
        fields = {"MsgType": kind, "MediaId": "sandbox-voice", "Format": "amr"}
        return {"type": kind, "text": heard}, {**fields, "Recognition": heard}
    if kind == "video":
        return {"type": kind, "text": ""}, {
            "MsgType": kind,
            "MediaId": "sandbox-video",
            "ThumbMediaId": "sandbox-thumb",
        }
    if kind == "location":
        fields = {
            "MsgType": kind,
            "Location_X": need("latitude"),
            "Location_Y": need("longitude"),
            "Scale": "16",
            "Label": str(wish.get("label") or ""),
        }
        return {"type": kind, "text": fields["Label"]}, fields
    fields = {
        "MsgType": "link",
        "Title": need("title"),
        "Description": str(wish.get("description") or ""),
        "Url": need("url"),
    }
    return {"type": kind, "text": fields["Title"]}, fields


def _event(wish: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    name = str(wish.get("event") or "")
    if not name:
        raise HTTPError(400, reason="event is missing")
    key = str(wish.get("key") or "")
    fields = {"MsgType": "event", "Event": name, "EventKey": key}
    fields |= {str(k): str(v) for k, v in wish.get("fields", {}).items()}
    return {
        "type": "event",
        "event": name,
        "key": key,
        "text": str(wish.get("label") or key),
    }, fields


class VerifyHandler(ControlHandler):
    """Verify the service's address as the platform does when it is saved."""

    async def post(self) -> None:
        status, echoed = await self.pusher.verify(self.json_body().get("query"))
        self.answer({"status": status, "echoed": echoed})


class PhoneSmsHandler(ControlHandler):
    def get(self, phone: str) -> None:
        self.answer([sms.show() for sms in self.world.inbox.delivered(phone)])


class MediaHandler(ControlHandler):
    def get(self, media_id: str) -> None:
        medium = self.world.media.get(media_id, self.world.now())
        if medium is None:
            raise HTTPError(404, reason="no such media")
        self.set_header("Content-Type", medium.content_type)
        self.finish(medium.data)


class JournalHandler(ControlHandler):
    """Everything that happened, for counting what came twice."""

    def get(self) -> None:
        since = self.get_query_argument("since", "0")
        if not since.isdigit():
            raise HTTPError(400, reason="since is a number")
        entries = self.world.journal.since(int(since))
        self.answer({"entries": entries, "next": len(self.world.journal.entries)})


class MenuHandler(ControlHandler):
    def get(self) -> None:
        self.answer(self.world.menu or {"button": []})


class ClockHandler(ControlHandler):
    """Move the sandbox's clock forward: windows, codes, tokens and SMS limits go by it."""

    def post(self) -> None:
        self.world.shift += float(self.json_body().get("advance", 0))
        self.answer({"now": self.world.now()})


class FaultsHandler(ControlHandler):
    """Switch faults on and off; shorten the pauses between receipts."""

    def get(self) -> None:
        self.answer(self.world.faults.show())

    def post(self) -> None:
        wish = self.json_body()
        if "receipt_repeat_seconds" in wish:
            self.receipts.repeat_seconds = tuple(map(float, wish["receipt_repeat_seconds"]))
        if "gateway" in wish or "fault" in wish:
            try:
                self.world.faults.set(wish)
            except ValueError as error:
                raise HTTPError(400, reason=str(error)) from error
        self.get()

    def delete(self) -> None:
        self.world.faults.clear(self.get_query_argument("gateway", None))
        self.get()
