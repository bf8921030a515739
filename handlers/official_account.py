"""WeChat's callback of the official account: ``GET|POST /wechat/official``.

A push is verified, opened and read here; what it means is the bot's, and that a message is handled
once, in order, with the same answer for WeChat's retries, is ``casework.conversations``'.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import ClassVar

import structlog
from tornado.routing import URLSpec
from tornado.web import HTTPError, stream_request_body
from wechatpy.messages import BaseMessage

from casework.conversations import Conversations
from casework.turns import Incoming
from casework.wechat_bindings import forget_wechat
from casework.wechat_identity import WechatIdentity
from handlers.base import Access, BaseHandler
from handlers.wechat_crypto import (
    OfficialCrypto,
    PushRefused,
    Signed,
    WechatSettings,
    read_message,
    text_reply,
)

log = structlog.get_logger()

MAX_BODY = 64 * 1024
_MAX_ECHO = 256
_SUCCESS = "success"

_KINDS: Mapping[str, str] = MappingProxyType({"text": "text", "image": "image", "voice": "voice"})

# Events a person made by an action that expects words back. All others are only taken note of.
_ANSWERED = frozenset({"subscribe", "scan", "click"})
# After these WeChat wants the person's data deleted.
_FORGETTING = frozenset(
    {"unsubscribe", "user_authorization_revoke", "user_authorization_cancellation"}
)


@stream_request_body
class OfficialAccountHandler(BaseHandler):
    """Answers WeChat's pushes within the passive reply."""

    access: ClassVar[Access] = Access.WECHAT

    def initialize(self, crypto: OfficialCrypto, conversations: Conversations, appid: str) -> None:
        """``crypto`` and ``conversations`` are built once for the process."""
        self._crypto = crypto
        self._conversations = conversations
        self._appid = appid
        self._chunks: list[bytes] = []
        self._size = 0

    async def prepare(self) -> None:
        """Refuses an oversized body by its header, before reading it."""
        outcome = super().prepare()
        if outcome is not None:
            await outcome
        length = self.request.headers.get("Content-Length", "0")
        if length.isdigit() and int(length) > MAX_BODY:
            raise HTTPError(413)

    def data_received(self, chunk: bytes) -> None:
        """Keeps no more than a message may have; the rest of a longer body is dropped."""
        self._size += len(chunk)
        if self._size <= MAX_BODY:
            self._chunks.append(chunk)

    def get(self) -> None:
        """The console's check of the address: the echo is returned only to WeChat."""
        echo = self.get_query_argument("echostr", "")
        try:
            self._crypto.verify(self._signed(), self.ctx.now().timestamp())
        except PushRefused as refused:
            raise _refusal(refused) from refused
        if not echo or len(echo) > _MAX_ECHO:
            raise HTTPError(400, "no echostr")
        self._answer(echo)

    async def post(self) -> None:
        """One push: refused with a 4xx, or answered with a reply or ``success``."""
        if self._size > MAX_BODY:
            raise HTTPError(413)
        now = self.ctx.now()
        try:
            xml, encrypted = self._crypto.open(
                b"".join(self._chunks), self._signed(), now.timestamp()
            )
            message = read_message(xml)
        except PushRefused as refused:
            raise _refusal(refused) from refused
        text = await self._handle(message)
        if not text:
            self._answer(_SUCCESS)
            return
        # Sealed at the moment of answering: working it out may have taken seconds.
        at = self.ctx.now().timestamp()
        reply = text_reply(message.source, message.target, text, at)
        self._answer(self._crypto.seal(reply, at) if encrypted else reply, "text/xml")

    async def _handle(self, message: BaseMessage) -> str | None:
        event = _event_of(message)
        if event in _FORGETTING:
            await self._forget(message)
            return None
        if event and event not in _ANSWERED:
            return None
        return (await self._conversations.receive(self.ctx, incoming_of(message))).text

    async def _forget(self, message: BaseMessage) -> None:
        # The authorisation events name person and app themselves; they come for both apps.
        data = message._data
        openid = str(data.get("OpenID") or message.source)
        app = "official" if data.get("AppID") in (None, self._appid) else "mini"
        await forget_wechat(self.ctx, WechatIdentity(app, openid))

    def _signed(self) -> Signed:
        return Signed(
            timestamp=self.get_query_argument("timestamp", ""),
            nonce=self.get_query_argument("nonce", ""),
            signature=self.get_query_argument("signature", ""),
            msg_signature=self.get_query_argument("msg_signature", ""),
        )

    def _answer(self, body: str, kind: str = "text/plain") -> None:
        self.set_header("Content-Type", f"{kind}; charset=utf-8")
        self.finish(body)

    def check_xsrf_cookie(self) -> None:
        """Nothing to check: WeChat signs, it has no cookies."""


def _refusal(refused: PushRefused) -> HTTPError:
    # The reason is for whoever sets up the account; WeChat reads no error body.
    log.info("push-refused", status=refused.status, reason=refused.reason)
    return HTTPError(refused.status, refused.reason)


def _event_of(message: BaseMessage) -> str:
    """The event's name in small letters, empty for a message."""
    if str(message._data["MsgType"]).lower() != "event":
        return ""
    event = str(message._data.get("Event") or "other").lower()
    # wechatpy renames a first visit by a code.
    return "subscribe" if event == "subscribe_scan" else event


def incoming_of(message: BaseMessage) -> Incoming:
    """A push as casework takes it. Messages are told apart by MsgId, events by person and time."""
    data, event = message._data, _event_of(message)
    key = str(data.get("EventKey") or "")
    message_id = str(message.id or "") if not event else ""
    if not message_id:
        # Hashed: the id is kept as the cause of events, where no openid should stand in clear.
        told_apart = f"{message.source}:{message.time}:{event or message.type}:{key}"
        message_id = hashlib.sha256(told_apart.encode()).hexdigest()[:32]
    return Incoming(
        app="official",
        openid=message.source,
        message_id=message_id,
        at=datetime.fromtimestamp(message.time, UTC),
        kind="event" if event else _KINDS.get(message.type, "other"),
        text=str(data.get("Content") or data.get("Recognition") or ""),
        media_id=str(data.get("MediaId") or ""),
        event=event,
        event_key=key,
    )


def routes(settings: WechatSettings, conversations: Conversations) -> list[URLSpec]:
    """The callback's address; raises ValueError for settings that cannot work."""
    given = {
        "crypto": OfficialCrypto(settings),
        "conversations": conversations,
        "appid": settings.appid,
    }
    return [URLSpec(r"/wechat/official", OfficialAccountHandler, given)]
