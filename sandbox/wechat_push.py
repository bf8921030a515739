"""Pushes a person's messages to the service: signed, encrypted, five seconds, three tries."""

import asyncio
import secrets
import time
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tornado.httpclient import AsyncHTTPClient, HTTPResponse

from sandbox.crypto import CryptoError, MessageCrypto, signature, signature_matches
from sandbox.outward import answer_of
from sandbox.people import Person
from sandbox.wechat_xml import ReplyError, read_reply, read_xml, text_of, write_message
from sandbox.world import World

TRIES = 3
SERVICE_BROKEN = "该公众号提供的服务出现故障，请稍后再试"


@dataclass(frozen=True, slots=True)
class Envelope:
    """How one push is wrapped. `raw` replaces the body, `query` single parameters: for forged
    pushes.
    """

    encrypted: bool = True
    raw: bytes | None = None
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Pushed:
    """What came of a push. `statuses`: HTTP status of each try, 0 for none."""

    msg_id: str
    statuses: list[int] = field(default_factory=list)
    replies: list[dict[str, Any]] = field(default_factory=list)
    problem: str = ""

    def show(self) -> dict[str, Any]:
        """As the control API tells it."""
        return {
            "replies": self.replies,
            "pushes": len(self.statuses),
            "statuses": self.statuses,
            "msg_id": self.msg_id,
            "problem": self.problem,
        }


class Pusher:
    """Sends pushes over one HTTP client."""

    def __init__(self, world: World) -> None:
        settings = world.settings
        self._world = world
        self._address = f"{settings.service}/wechat/official"
        self._crypto = MessageCrypto(settings.wechat_aes_key, settings.wechat_appid)
        self._client = AsyncHTTPClient(force_instance=True, max_clients=500)
        self._background: set[asyncio.Task[None]] = set()

    def close(self) -> None:
        """Stop what runs in the background and close connections."""
        for task in self._background:
            task.cancel()
        self._client.close()

    def in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something without waiting for it; it ends with the sandbox."""
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def push_event(self, person: Person, fields: dict[str, str]) -> None:
        """Push an event of the platform itself, which shows nothing to the person."""

        async def work() -> None:
            await self.push(person, {"MsgType": "event", **fields}, quiet=True)

        self.in_background(work())

    async def verify(self, query: Mapping[str, str] | None = None) -> tuple[int, bool]:
        """Verify the address as the platform does: (HTTP status, echostr came back)."""
        echo = str(secrets.randbits(63))
        parameters = {**self._signed(None), "echostr": echo, **(query or {})}
        response = await answer_of(
            self._client,
            f"{self._address}?{urlencode(parameters)}",
            request_timeout=self._world.settings.push_seconds,
        )
        if response is None:
            return 0, False
        return response.code, response.code == 200 and response.body == echo.encode()

    async def push(
        self,
        person: Person,
        fields: Mapping[str, str],
        *,
        envelope: Envelope | None = None,
        msg_id: str | None = None,
        quiet: bool = False,
    ) -> Pushed:
        """Push one message or event and show the person what comes back.

        `fields` begin with MsgType; names, time and, for messages, MsgId are added here and stay
        the same over all tries.
        """
        wrap = envelope or Envelope(encrypted=self._world.settings.encrypted)
        pushed = Pushed(msg_id or str(secrets.randbits(62) | 1 << 62))
        whole = {
            "ToUserName": self._world.settings.wechat_account,
            "FromUserName": person.openid,
            "CreateTime": str(int(self._world.now())),
            **fields,
        }
        if fields["MsgType"] != "event":
            whole["MsgId"] = pushed.msg_id
        self._world.faults.counts["wechat"]["pushes"] += 1
        response = await self._try_three_times(person, write_message(whole), wrap, pushed)
        try:
            if response is None:
                raise ReplyError("no answer in three tries")
            if response.code != 200:
                raise ReplyError(f"HTTP status {response.code}")
            reply = self._read(response.body, person, wrap.encrypted)
        except (ReplyError, CryptoError) as error:
            pushed.problem = str(error)
            reply = {"type": "text", "text": SERVICE_BROKEN, "broken": True}
        if reply is not None:
            pushed.replies.append(reply)
            if not quiet:
                sender = "system" if reply.get("broken") else "account"
                shown = {**reply, "from": sender, "via": "passive"}
                self._world.record("chat", person=person.id, **shown)
        return pushed

    async def _try_three_times(
        self, person: Person, message: bytes, wrap: Envelope, pushed: Pushed
    ) -> HTTPResponse | None:
        settings = self._world.settings
        for number in range(TRIES):
            query, body = self._wrap(person, message, wrap)
            started = time.monotonic()
            self._world.faults.counts["wechat"]["push tries"] += 1
            response = await answer_of(
                self._client,
                f"{self._address}?{urlencode(query)}",
                method="POST",
                headers={"Content-Type": "text/xml"},
                body=body,
                connect_timeout=settings.push_seconds,
                request_timeout=settings.push_seconds,
                follow_redirects=False,
            )
            pushed.statuses.append(0 if response is None else response.code)
            if response is not None:
                return response
            waited = time.monotonic() - started
            if waited < settings.push_pause_seconds and number < TRIES - 1:
                await asyncio.sleep(settings.push_pause_seconds - waited)
        return None

    def _wrap(self, person: Person, message: bytes, wrap: Envelope) -> tuple[dict[str, str], bytes]:
        """Query and body of one try: each has its own time, nonce and cipher text."""
        if not wrap.encrypted:
            query = {**self._signed(None), "openid": person.openid}
            body = message
        else:
            cipher = self._crypto.encrypt(message)
            query = {**self._signed(cipher), "openid": person.openid}
            account = self._world.settings.wechat_account
            body = write_message({"ToUserName": account, "Encrypt": cipher})
        return {**query, **wrap.query}, body if wrap.raw is None else wrap.raw

    def _signed(self, cipher: str | None) -> dict[str, str]:
        token = self._world.settings.wechat_token
        timestamp, nonce = str(int(self._world.now())), str(secrets.randbelow(10**10))
        query = {
            "signature": signature(token, timestamp, nonce),
            "timestamp": timestamp,
            "nonce": nonce,
        }
        if cipher is not None:
            query["encrypt_type"] = "aes"
            query["msg_signature"] = signature(token, timestamp, nonce, cipher)
        return query

    def _read(self, body: bytes, person: Person, encrypted: bool) -> dict[str, Any] | None:
        """The passive reply, or None for "success" and an empty body; raises ReplyError,
        CryptoError.
        """
        if body in {b"", b"success"}:
            return None
        root = read_xml(body)
        if encrypted:
            cipher, nonce = text_of(root, "Encrypt"), text_of(root, "Nonce")
            timestamp = text_of(root, "TimeStamp")
            parts = (self._world.settings.wechat_token, timestamp, nonce, cipher)
            if not signature_matches(text_of(root, "MsgSignature"), *parts):
                raise ReplyError("MsgSignature is wrong")
            root = read_xml(self._crypto.decrypt(cipher))
        reply = read_reply(root, person.openid, self._world.settings.wechat_account)
        media_id = reply.get("media_id")
        if media_id and self._world.media.get(media_id, self._world.now()) is None:
            raise ReplyError("MediaId is unknown")
        return reply
