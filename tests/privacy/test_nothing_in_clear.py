"""A stolen disk names nobody: database files, Redis' log, spool and logs after a whole story.

What is searched for is searched in every way it could be written; a canary written in clear proves
that the search would have found it.
"""

import base64
import io
import json
import re
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from bson.raw_bson import RawBSONDocument
from PIL import Image
from pymongo import MongoClient
from redis import Redis

from storage.engines import EngineUrls
from tests.api import pictures
from tests.support.citizens import OFFICE, Citizen
from tests.support.engines import engine_process
from tests.support.processes import House
from tests.support.story import (
    SERVICE,
    QuickTown,
    asked_for_code,
    decide,
    filled,
    say,
    wait_until_settled,
)
from tests.support.web import fetch_json

NOTE = "赴智利阿塔卡马天文台工作两年"
MARKER = "MARKER-IN-EXIF-7f3a9c"
CANARY = "金丝雀4101051980010199X"
REASON = "请填到签证所载日期"
PUBLIC = frozenset({"offices.csv", "population.csv", "licences.csv", "keys.env"})
"""What the test itself lays into the data folder: the registry's files to import, and the keys."""


@dataclass(frozen=True)
class Finding:
    """A secret found in clear."""

    what: str
    where: str


def ways(secret: str) -> Iterator[bytes]:
    """Every way a text may be written down."""
    plain = secret.encode()
    yield plain
    yield secret.encode("utf-16-le")
    yield secret.encode("utf-16-be")
    yield json.dumps(secret)[1:-1].encode()
    yield quote(secret).encode()
    yield plain.hex().encode()
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + plain)
        # Without the characters that depend on the neighbours.
        yield whole[(0, 2, 3)[shift] : len(whole) - 4]


def holds(content: bytes, secret: str) -> bool:
    """Whether a secret is there. Six digits alone are no code: they may be part of a longer
    number."""
    if re.fullmatch(r"\d{6}", secret):
        code = secret.encode()
        return code in content and bool(re.search(rb"(?<![\d.])" + code + rb"(?!\d)", content))
    return any(way in content for way in dict.fromkeys(ways(secret)))


def search(files: Mapping[str, bytes], secrets: Mapping[str, str]) -> set[Finding]:
    """Every secret found, and where."""
    return {
        Finding(what, where)
        for where, content in files.items()
        for what, secret in secrets.items()
        if holds(content, secret)
    }


def files_below(folder: Path) -> dict[str, bytes]:
    """The raw content of every file, but not what the test or the outside world laid there."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in PUBLIC and not path.name.startswith("sandbox")
    }


def dumped(urls: EngineUrls) -> dict[str, bytes]:
    """Every document as it lies in the database: its files are compressed in blocks."""
    found: dict[str, bytes] = {}
    client: MongoClient[RawBSONDocument] = MongoClient(
        urls.mongo_url, document_class=RawBSONDocument
    )
    with client:
        for database in client.list_database_names():
            for collection in client[database].list_collection_names():
                rows = client[database][collection].find({})
                found[f"{database}.{collection}"] = b"".join(row.raw for row in rows)
    return found


def marked_photo() -> bytes:
    """A photo with words in its EXIF."""
    exif = Image.Exif()
    exif[0x010E] = MARKER
    out = io.BytesIO()
    pictures.card().save(out, "JPEG", quality=90, exif=exif, comment=MARKER.encode())
    return out.getvalue()


def break_off_an_upload(citizen: Citizen, number: str) -> socket.socket:
    """An upload that never ends: what came of it lies in the spool."""
    address = urlsplit(citizen.house.service_url)
    connection = socket.create_connection((address.hostname, address.port), timeout=30)
    head = (
        f"POST /api/v1/matters/{number}/photos HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Authorization: Bearer {citizen.token}\r\nIdempotency-Key: never-ends-at-all\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 4000000\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="material"\r\n\r\nreason_proof\r\n'
        '--b\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\n'
    )
    connection.sendall(head.encode() + marked_photo() + MARKER.encode() * 100_000)
    return connection


def let_fly(urls: EngineUrls) -> None:
    """A canary in clear in both engines."""
    client: MongoClient[dict[str, Any]] = MongoClient(urls.mongo_url)
    with client, Redis.from_url(urls.redis_url) as redis:
        client["canary"]["birds"].insert_one({"_id": "bird", "song": CANARY})
        redis.set("canary", CANARY)


def test_nothing_in_clear(tmp_path: Path) -> None:
    engines_folder, house_folder = tmp_path / "engines", tmp_path / "house"
    house_folder.mkdir()
    with engine_process(engines_folder) as running:
        extra = {"BIANMIN_LOG_LEVEL": "debug"}
        with House(house_folder, running.urls, "privacy", extra) as house:
            secrets = told_story(house)
            assert list((house_folder / "spool").glob("*.spool")), "no upload was broken off"
        let_fly(running.urls)
        time.sleep(1.2)  # appendfsync everysec
        documents = dumped(running.urls)
        alive = files_below(engines_folder)
    stopped = files_below(engines_folder)
    rest = files_below(house_folder)
    assert {Path(name).parts[0] for name in rest} >= {"spool", "service-1.log", "worker-2.log"}
    everything = {
        **{f"document {k}": v for k, v in documents.items()},
        **{f"alive {k}": v for k, v in alive.items()},
        **{f"stopped {k}": v for k, v in stopped.items()},
        **rest,
    }
    assert search(everything, secrets) == set()
    # The same search finds a canary: in the documents, in the database's files and in Redis' log.
    seen = {f.where for f in search(everything, {"canary": CANARY})}
    assert "document canary.birds" in seen
    assert any("WiredTigerLog" in where for where in seen), seen
    assert any(where.startswith("stopped mongo") for where in seen), seen
    assert any("redis" in where for where in seen), seen


def told_story(house: House) -> dict[str, str]:
    """A whole story, with an upload broken off by SIGKILL at its end; what must not be found."""
    house.start_sandbox()
    town = QuickTown(house, 4, valid_until=date.today() + timedelta(days=60))
    service = house.start_service()
    worker = house.start_worker()
    citizen, chatting = town.somebody(), town.somebody()
    asked_for_code(chatting)
    code_in_chat = chatting.sms_code()
    assert "注册成功" in say(chatting, code_in_chat)
    # A wrong phone and a wrong code are logged as refusals, without what was typed.
    citizen.call("POST", "/registrations", {"id_number": citizen.person.id_number, "name": "?"})
    assert citizen.register().status == 201
    code = citizen.sms_code()
    town.face_sign(citizen.person)
    number = str(citizen.call("POST", "/matters", {"service": SERVICE}).json()["number"])
    filled(citizen, number, note=NOTE, photo=marked_photo())
    assert citizen.call("POST", f"/matters/{number}/submit").status == 200
    desk = town.desk(OFFICE)
    assert decide(desk, number, "send_back").status == 200
    assert NOTE in desk.open(f"/desk/matters/{number}").body.decode()
    wait_until_settled(house)
    again = {"form": {"until": (date.today() + timedelta(days=300)).isoformat()}}
    assert citizen.call("PATCH", f"/matters/{number}", again).status == 200
    with break_off_an_upload(citizen, number):
        spool = house.folder / "spool"
        end = time.monotonic() + 30
        while not any(p.stat().st_size > 100_000 for p in spool.glob("*.spool")):
            assert time.monotonic() < end, "the upload never reached the spool"
            time.sleep(0.05)
        service.kill()
    worker.stop()
    people = [
        fetch_json(house.sandbox_url, "GET", f"/sandbox/people/{who.wechat}").json()
        for who in (citizen, chatting)
    ]
    openids = {
        f"{name} {n}": str(person[name])
        for n, person in enumerate(people)
        for name in ("openid", "mini_openid")
    }
    assert all(len(openid) > 8 for openid in openids.values())
    return {
        **openids,
        "ID number": citizen.person.id_number,
        "phone": citizen.person.phone,
        "name": citizen.person.name,
        "ID number in chat": chatting.person.id_number,
        "phone in chat": chatting.person.phone,
        "name in chat": chatting.person.name,
        "SMS code": code,
        "SMS code in chat": code_in_chat,
        "note": NOTE,
        "reason": REASON,
        "marker": MARKER,
        "token": citizen.token.partition(".")[2],
        **{f"secret {k}": v for k, v in house.env.items() if k.endswith(("_KEY", "_SECRET"))},
    }


@pytest.mark.parametrize("where", ["head", "middle", "end"])
def test_the_search_knows_every_way_of_writing(where: str) -> None:
    for way in ways(CANARY):
        padding = {"head": (b"", b"x" * 9), "middle": (b"\0" * 7, b"\xff" * 7), "end": (b"y", b"")}
        before, after = padding[where]
        found = search({"file": before + way + after}, {"canary": CANARY})
        assert found == {Finding("canary", "file")}, way
    for shift in range(6):
        written = base64.b64encode(b"z" * shift + CANARY.encode() + b"z" * 5)
        assert search({"file": written}, {"canary": CANARY}), shift
    code = {"code": "123456"}
    assert search({"file": b"code=123456&"}, code)
    assert not search({"file": b"at 12:00:01.123456 and 91234560"}, code)
