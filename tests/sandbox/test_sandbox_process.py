"""The sandbox as a process: start, restart, clean stop; the phone's way to the service."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.web import RequestHandler

from sandbox.server import make_server
from sandbox.settings import Settings

ROOT = Path(__file__).parent.parent.parent


@contextlib.asynccontextmanager
async def process(*arguments: str) -> AsyncIterator[str]:
    """The address of a sandbox process, stopped by SIGTERM at the end."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sandbox", "--port", "0", *arguments),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdout is not None
    try:
        line = (await child.stdout.readline()).decode()
        assert line.startswith("sandbox listening on http://127.0.0.1:")
        yield line.split()[-1]
    finally:
        child.send_signal(signal.SIGTERM)
        assert await child.wait() == 0


@pytest.mark.gen_test(timeout=20)
async def test_people_and_chats_survive_a_restart(tmp_path: Path) -> None:
    seed = tmp_path / "seed.json"
    seed.write_bytes(orjson.dumps({"people": [{"name": "张三", "phone": "13900000001"}]}))
    arguments = ("--journal", str(tmp_path / "journal"), "--seed-file", str(seed))
    closed = ("--service", "http://127.0.0.1:1")
    client = AsyncHTTPClient(force_instance=True)
    async with process(*arguments, *closed) as address:
        [person] = orjson.loads((await client.fetch(f"{address}/sandbox/people")).body)
        assert person["name"] == "张三"
        path = f"/sandbox/people/{person['person']}"
        body = orjson.dumps({"event": "unsubscribe"})
        await client.fetch(f"{address}{path}/event", method="POST", body=body)
    async with process(*arguments, *closed) as address:
        people = orjson.loads((await client.fetch(f"{address}/sandbox/people")).body)
        assert people == [{**person, "follows": False}]
        chat = orjson.loads((await client.fetch(f"{address}{path}/chat")).body)
        assert chat[0]["event"] == "unsubscribe"
    client.close()


@pytest.mark.gen_test
async def test_half_a_line_left_by_a_kill_is_dropped(tmp_path: Path) -> None:
    settings = Settings(port=0, journal=tmp_path / "journal")
    box = make_server(settings)
    box.world.add_person("李四")
    await box.close()
    with (tmp_path / "journal").open("ab") as file:
        file.write(b'{"n": 2, "ki')
    box = make_server(settings)
    assert [person.name for person in box.world.people.by_id.values()] == ["李四"]
    box.world.add_person("王五")
    await box.close()
    box = make_server(settings)
    assert len(box.world.people.by_id) == 2
    await box.close()


@pytest.mark.gen_test
async def test_an_unsettled_receipt_is_sent_after_a_restart(
    start: Any, until: Any, tmp_path: Path
) -> None:
    journal = tmp_path / "journal"
    async with start(journal=journal, receipt_seconds=60.0) as hands:
        await hands.sms()
    async with start(journal=journal) as hands:
        await until(lambda: hands.service.requests)
        [receipt] = orjson.loads(hands.service.requests[0].body)
        assert receipt["out_id"] == "notice-1"


@pytest.mark.gen_test
async def test_the_phone_reaches_the_service_through_the_sandbox(start: Any) -> None:
    async with start() as hands:

        async def behave(handler: RequestHandler) -> None:
            handler.set_status(422)
            handler.set_header("Content-Type", "application/problem+json")
            handler.write(orjson.dumps({"size": len(handler.request.body)}))

        hands.service.behave = behave
        body = b"x" * 3_000_000
        headers = {"Authorization": "Bearer abc", "Idempotency_Key": "k1", "Cookie": "no"}
        answer = await hands.fetch("POST", "/mini/matters/1/photos?a=1", body, **headers)
        assert answer.code == 422
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert orjson.loads(answer.body) == {"size": len(body)}
        request = hands.service.requests[0]
        assert request.uri == "/api/v1/matters/1/photos?a=1"
        assert request.headers["Authorization"] == "Bearer abc"
        assert request.headers["Idempotency-Key"] == "k1"
        assert "Cookie" not in request.headers
        for method in ("GET", "DELETE"):
            assert (await hands.fetch(method, "/mini/matters/1")).code == 422
            assert hands.service.requests[-1].method == method


@pytest.mark.gen_test
async def test_the_phone_is_told_when_the_service_is_away(start: Any) -> None:
    async with start(service="http://127.0.0.1:1") as hands:
        answer = await hands.fetch("POST", "/mini/login", {"code": "x"})
        assert answer.code == 502
        assert orjson.loads(answer.body)["code"] == "no-answer"


@pytest.mark.gen_test
async def test_the_journal_numbers_everything(start: Any) -> None:
    async with start() as hands:
        person = await hands.person()
        await hands.sms()
        await hands.json("POST", f"/sandbox/people/{person['person']}/say", {"text": "你好"})
        whole = await hands.json("GET", "/sandbox/journal")
        kinds = [entry["kind"] for entry in whole["entries"] if entry["kind"] != "receipt"]
        assert kinds == ["person", "sms", "chat"]
        rest = await hands.json("GET", "/sandbox/journal?since=2")
        assert rest["entries"] == whole["entries"][2:]
