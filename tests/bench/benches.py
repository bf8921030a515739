"""The benches, by name. Each says in its docstring what its floor is."""

import asyncio
import hashlib
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlencode

from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from wechatpy.crypto import WeChatCrypto

from bianmin.demo.people import multipart
from casework import matters
from tests.bench.exams import booking_rush, plan_query_scale
from tests.bench.harness import ROUNDS, Result, Side, beside
from tests.bench.pictures import camera_jpeg
from tests.bench.scale import login_scale, registration_scale
from tests.bench.town import Town, floors, pss

_UPLOADS = 50
_UPLOAD_BYTES = 8 * 1024 * 1024


async def service_guide(town: Town) -> Result:
    """``GET /api/v1/services/{code}``. Floor: a bare Tornado handler giving the same bytes."""
    path = "/api/v1/services/licence-deferral"
    body = (await _get(town, path)).body
    async with floors(town, "-", body, b"{}") as port:
        return await beside(
            "service-guide",
            town.folder,
            Side(town.house.port, [[_request(path)] * 3000] * (ROUNDS + 1)),
            Side(port, [[_request("/guide")] * 3000] * (ROUNDS + 1)),
            connections=8,
            note=f"{len(body)} bytes",
        )


async def matter_progress(town: Town) -> Result:
    """``GET /api/v1/matters/{no}`` of a submitted matter with photos, by its owner's token. Floor:
    a bare Tornado handler doing one read by ``_id`` of the same document, same bytes."""
    citizen = await town.citizen(1)
    number, token = await town.submitted(citizen), await town.token(citizen)
    path, headers = f"/api/v1/matters/{number}", {"Authorization": f"Bearer {token}"}
    body = (await _get(town, path, headers)).body
    async with floors(town, number, b"{}", body) as port:
        return await beside(
            "matter-progress",
            town.folder,
            Side(town.house.port, [[_request(path, headers)] * 1500] * (ROUNDS + 1)),
            Side(port, [[_request("/matter")] * 1500] * (ROUNDS + 1)),
            connections=8,
            note=f"{len(body)} bytes",
        )


async def chat_encrypted(town: Town) -> Result:
    """An encrypted text message of a registered citizen, answered within the passive reply, his
    talk read and written. Floor: a bare handler doing only decrypt, parse, reply, encrypt."""
    openids = [await town.follower(n) for n in range(100, 200)]
    rounds = [_messages(town, openids, 500) for _ in range(ROUNDS + 1)]
    async with floors(town, "-", b"{}", b"{}") as port:
        return await beside(
            "chat-encrypted",
            town.folder,
            Side(town.house.port, rounds),
            Side(port, rounds),
            connections=8,
            note="帮助, 100 citizens in turn",
        )


async def uploads_memory(town: Town) -> Result:
    """Growth of PSS of the service and its image processes while 50 uploads of 8 MB run at once,
    after a warm-up upload. No floor: the aim is below 100 MB."""
    picture = camera_jpeg(_UPLOAD_BYTES)
    service = town.house.started[0].pid
    drafts = []
    for n in range(300, 300 + _UPLOADS + 1):
        citizen = await town.citizen(n)
        view = await matters.open_draft(town.ctx, citizen, "licence-deferral", "up", "mini")
        drafts.append((view.number, await town.token(citizen)))
    await _upload(town, *drafts[-1], picture)
    before = pss(service)
    peak, done = before, asyncio.Event()

    async def watch() -> None:
        nonlocal peak
        while not done.is_set():
            peak = max(peak, await asyncio.to_thread(pss, service))
            await asyncio.sleep(0.05)

    watching = asyncio.ensure_future(watch())
    start = time.perf_counter()
    codes = await asyncio.gather(*(_upload(town, *d, picture) for d in drafts[:_UPLOADS]))
    took = time.perf_counter() - start
    done.set()
    await watching
    good = sum(code in (200, 201) for code in codes)
    return Result(
        name="uploads-memory",
        value=round((peak - before) / 1e6, 1),
        unit="MB growth",
        floor=None,
        ratio=None,
        n=_UPLOADS,
        note=f"{good} accepted, {len(picture) / 1e6:.1f} MB each, {took:.1f} s, "
        f"PSS {before / 1e6:.0f} → {peak / 1e6:.0f} MB",
    )


BENCHES: Mapping[str, Callable[[Town], Awaitable[Result]]] = {
    "service-guide": service_guide,
    "matter-progress": matter_progress,
    "chat-encrypted": chat_encrypted,
    "uploads-memory": uploads_memory,
    "registration-scale": registration_scale,
    "login-scale": login_scale,
    "booking-rush": booking_rush,
    "plan-query-scale": plan_query_scale,
}


def _request(path: str, headers: Mapping[str, str] | None = None) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: bench"]
    lines += [f"{k}: {v}" for k, v in (headers or {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _messages(town: Town, openids: list[str], count: int) -> list[bytes]:
    settings = town.settings
    token = settings.wechat_token.get_secret_value()
    crypto = WeChatCrypto(token, settings.wechat_aes_key.get_secret_value(), settings.wechat_appid)
    found = []
    for n in range(count):
        now, nonce = str(int(time.time())), secrets.token_hex(5)
        xml = (
            "<xml><ToUserName><![CDATA[gh_bench]]></ToUserName>"
            f"<FromUserName><![CDATA[{openids[n % len(openids)]}]]></FromUserName>"
            f"<CreateTime>{now}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
            f"<Content><![CDATA[帮助]]></Content><MsgId>{secrets.randbits(62)}</MsgId></xml>"
        )
        sealed = crypto.encrypt_message(xml, nonce, now)
        signature = sealed.split("<MsgSignature><![CDATA[")[1].split("]]>")[0]
        cipher = sealed.split("<Encrypt><![CDATA[")[1].split("]]>")[0]
        body = (
            "<xml><ToUserName><![CDATA[gh_bench]]></ToUserName>"
            f"<Encrypt><![CDATA[{cipher}]]></Encrypt></xml>"
        ).encode()
        query = urlencode(
            {
                "signature": _plain_signature(token, now, nonce),
                "timestamp": now,
                "nonce": nonce,
                "encrypt_type": "aes",
                "msg_signature": signature,
            }
        )
        head = (
            f"POST /wechat/official?{query} HTTP/1.1\r\nHost: bench\r\n"
            f"Content-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        found.append(head.encode() + body)
    return found


def _plain_signature(token: str, timestamp: str, nonce: str) -> str:
    text = "".join(sorted((token, timestamp, nonce)))
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


async def _get(town: Town, path: str, headers: Mapping[str, str] | None = None) -> HTTPResponse:
    return await AsyncHTTPClient().fetch(town.house.service_url + path, headers=dict(headers or {}))


async def _upload(town: Town, number: str, token: str, picture: bytes) -> int:
    body, kind = multipart({"material": "id_card"}, "photo.jpg", picture, "image/jpeg")
    client = AsyncHTTPClient(force_instance=True)
    try:
        answer = await client.fetch(
            f"{town.house.service_url}/api/v1/matters/{number}/photos",
            method="POST",
            body=body,
            headers={
                "Content-Type": kind,
                "Authorization": f"Bearer {token}",
                "Idempotency-Key": secrets.token_urlsafe(12),
            },
            request_timeout=300,
            raise_error=False,
        )
    finally:
        client.close()
    return answer.code
