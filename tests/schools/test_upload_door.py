"""A school's upload over real sockets: cut off, logged out or forged, it leaves nothing behind."""

import re
import secrets
import socket
import time
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from casework.context import Context
from storage.engines import EngineUrls
from tests.desk.town import PASSWORD, Town
from tests.schools.files import id_of, portrait, student, table
from tests.support.processes import House, Started
from tests.support.web import Browser, Reply, fetch

MEGABYTE = 1024 * 1024


class Desk(Browser):
    """A clerk's browser that also sends files."""

    def upload(self, path: str, fields: Mapping[str, str], files: Mapping[str, bytes]) -> Reply:
        """A multipart form with this browser's token."""
        body, kind = form({"_xsrf": self.cookies.get("_xsrf", ""), **fields}, files)
        headers = {**self._headers(), "Content-Type": kind}
        return self._kept(fetch(self.base, "POST", path, body, headers))


def form(fields: Mapping[str, str], files: Mapping[str, bytes]) -> tuple[bytes, str]:
    """Fields first, then files, as a browser sends them; with its content type."""
    boundary = secrets.token_hex(12)
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n'.encode()
        for n, v in fields.items()
    ]
    for name, content in files.items():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="f"\r\n'
        parts += [
            head.encode(),
            b"Content-Type: application/octet-stream\r\n\r\n",
            content,
            b"\r\n",
        ]
    body = b"".join(parts) + f"--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"


@pytest.fixture(scope="module")
def town(engine_urls: EngineUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A service without a worker, so that what was uploaded waits."""
    folder: Path = tmp_path_factory.mktemp("schools")
    with House(folder, engine_urls, f"test_{secrets.token_hex(8)}") as house:
        house.start_service()
        with Town(house) as made:
            yield made


@pytest.fixture
def desk(town: Town) -> Desk:
    """A clerk who has just logged in."""
    browser = Desk(town.house.service_url)
    browser.open("/desk/login")
    page = browser.send("/desk/login", {"username": "liu", "password": PASSWORD})
    assert "本校学员" in page.body.decode()
    return browser


async def kept(ctx: Context) -> tuple[int, int, int]:
    """Batches, files and pieces that lie in the store."""
    names = ("school_batches", "school.files", "school.chunks")
    counts = [await ctx.stores.database[n].count_documents({}) for n in names]
    return counts[0], counts[1], counts[2]


def spooled(town: Town) -> list[Path]:
    """What lies in the spool."""
    return list((town.house.folder / "spool").glob("*.spool"))


def settled(town: Town, before: tuple[int, int, int]) -> bool:
    """Whether within some seconds nothing more than before is there."""
    end = time.monotonic() + 15
    while time.monotonic() < end:
        if town.run(kept) == before and not spooled(town):
            return True
        time.sleep(0.1)
    return False


def cause() -> dict[str, str]:
    """The hidden field of a fresh form."""
    return {"cause": secrets.token_urlsafe(24)}


def good(order: int) -> bytes:
    """A table of one student."""
    return table([student(order, lately())])


def lately() -> date:
    """A day on which one may have seen a doctor."""
    return date.today() - timedelta(days=5)


def test_an_upload_cut_off_leaves_nothing(town: Town, desk: Desk) -> None:
    desk.open("/desk/batches")
    before = town.run(kept)
    fields = {"_xsrf": desk.cookies["_xsrf"], **cause()}
    body, kind = form(fields, {"table": good(1), "portraits": b"x" * (8 * MEGABYTE)})
    address = urlsplit(desk.base)
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        cookie = desk._headers()["Cookie"]
        head = (
            f"POST /desk/batches HTTP/1.1\r\nHost: {address.netloc}\r\nCookie: {cookie}\r\n"
            f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        connection.sendall(head.encode() + body[: 6 * MEGABYTE])
        end = time.monotonic() + 15
        while town.run(kept)[2] <= before[2] and time.monotonic() < end:
            time.sleep(0.05)
        assert town.run(kept)[2] > before[2], "its pieces are stored as they arrive"
    assert settled(town, before)


def test_who_is_logged_out_is_led_to_the_login_after_the_whole_body(town: Town) -> None:
    before = town.run(kept)
    stranger = Desk(town.house.service_url)
    stranger.open("/desk/login")
    page = stranger.upload(
        "/desk/batches", cause(), {"table": good(1), "portraits": b"x" * MEGABYTE}
    )
    assert page.status == 200 and "动态口令" in page.body.decode()
    assert settled(town, before)


def test_an_officer_of_another_role_and_a_forged_form_are_refused(town: Town, desk: Desk) -> None:
    before = town.run(kept)
    officer = Desk(town.house.service_url)
    officer.open("/desk/login")
    officer.send("/desk/login", {"username": "li", "password": PASSWORD})
    files = {"table": good(1), "portraits": b"x" * MEGABYTE}
    assert officer.upload("/desk/batches", cause(), files).status == 403
    desk.open("/desk/batches")
    forged = desk.upload("/desk/batches", {"_xsrf": "0" * 32, **cause()}, files)
    assert forged.status == 403
    assert desk.upload("/desk/batches", {}, files).status == 400, "no cause, no batch"
    assert settled(town, before)


def test_the_same_form_twice_is_one_batch(town: Town, desk: Desk) -> None:
    desk.open("/desk/batches")
    fields, before = cause(), town.run(kept)
    pages = [desk.upload("/desk/batches", fields, {"table": good(1)}) for _ in range(2)]
    assert [p.status for p in pages] == [200, 200]
    assert all("已处理 0 / 1 行" in p.body.decode() for p in pages)
    assert settled(town, (before[0] + 1, before[1] + 1, before[2] + 1))


def test_a_large_upload_costs_no_memory_and_one_too_large_is_named(town: Town, desk: Desk) -> None:
    service: Started = town.house.started[0]
    process = psutil.Process(service.pid)
    desk.open("/desk/batches")
    before, rss = town.run(kept), process.memory_info().rss
    files = {"table": good(1), "portraits": b"\0" * (60 * MEGABYTE)}
    answer = desk.upload("/desk/batches", cause(), files)
    assert answer.status == 415 and "不是ZIP" in answer.body.decode()
    grown = process.memory_info().rss - rss
    assert grown < 30 * MEGABYTE, f"{grown // MEGABYTE} MB"
    answer = desk.upload("/desk/batches", cause(), {"table": b"a," * (4 * MEGABYTE)})
    assert answer.status == 413 and "5MB" in answer.body.decode()
    assert settled(town, before)


def test_one_student_by_form_is_not_taken_twice(town: Town, desk: Desk) -> None:
    desk.open("/desk/students/new")
    names = ("id_number", "name", "phone", "vehicle_class", "application", "medical_on")
    values = [id_of(7), "陈学员", "13600000007", "C1", "first", lately().isoformat()]
    fields = {**cause(), **dict(zip(names, values, strict=True)), "medical_hospital": "市一院"}
    numbers = set()
    for _ in range(2):
        page = desk.upload("/desk/students/new", fields, {"portrait": portrait(7)})
        assert page.status == 200
        found = re.search(r'class="number">(\d{12})<', page.body.decode())
        assert found is not None
        numbers.add(found.group(1))
    assert len(numbers) == 1
    assert not spooled(town)
