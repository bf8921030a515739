"""Photos: every kind taken, every bad one refused by name, nothing left behind by a cut line."""

import io
import socket
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from PIL import Image

from tests.api import pictures
from tests.support.citizens import Citizen, Town
from tests.support.web import fetch, multipart


def photos_of(citizen: Citizen, number: str, material: str) -> list[dict[str, str]]:
    """The photos of one material."""
    view = citizen.call("GET", f"/matters/{number}").json()
    return list(next(m for m in view["materials"] if m["name"] == material)["photos"])


@pytest.mark.parametrize("kind", pictures.GOOD)
def test_every_kind_is_taken_and_given_back_clean(kind: str, draft: tuple[Citizen, str]) -> None:
    citizen, number = draft
    done = citizen.upload(number, {"material": "id_card", "any-name": pictures.GOOD[kind]()})
    assert done.status == 201, done.body
    [photo] = photos_of(citizen, number, "id_card")
    given = citizen.call("GET", f"/matters/{number}/photos/{photo['id']}")
    assert given.headers["Content-Type"] == "image/jpeg"
    image = Image.open(io.BytesIO(given.body))
    assert not image.getexif() and image.size == (photo["width"], photo["height"])
    if kind == "jpeg":
        assert image.width > image.height, "EXIF orientation was not applied"

    thumbnail = fetch(citizen.house.service_url, "GET", photo["thumbnail"])
    assert thumbnail.status == 200 and max(Image.open(io.BytesIO(thumbnail.body)).size) < 1000
    forged = photo["thumbnail"][:-4] + "0000"
    refused = fetch(citizen.house.service_url, "GET", forged)
    assert (refused.status, refused.code) == (403, "signature-invalid")

    gone = citizen.call("DELETE", f"/matters/{number}/photos/{photo['id']}")
    assert gone.status == 200 and photos_of(citizen, number, "id_card") == []
    after = citizen.call("GET", f"/matters/{number}/photos/{photo['id']}")
    assert (after.status, after.code) == (404, "not-found")


BAD: dict[str, tuple[Callable[[], bytes], int]] = {
    "text": (lambda: b"this is no picture at all " * 100, 415),
    "html as jpg": (lambda: b"<!doctype html><script>alert(1)</script>" * 50, 415),
    "svg": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>', 415),
    "empty": (lambda: b"", 422),
    "truncated": (lambda: pictures.jpeg()[:40_000], 422),
    "tiny": (pictures.tiny, 422),
    "10 MB and one byte": (lambda: pictures.padded(10 * pictures.MEGABYTE + 1), 413),
    "30 MB": (lambda: pictures.padded(30 * pictures.MEGABYTE), 413),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_by_name(name: str, draft: tuple[Citizen, str]) -> None:
    content, status = BAD[name]
    citizen, number = draft
    refused = citizen.upload(number, {"material": "id_card", "photo": content()})
    assert refused.status == status, refused.body
    assert refused.code.startswith("photo-") and refused.json()["next"]
    assert photos_of(citizen, number, "id_card") == []


def test_a_refusal_is_told_before_a_byte_of_a_huge_body_is_read(
    draft: tuple[Citizen, str],
) -> None:
    citizen, number = draft
    netloc = urlsplit(citizen.house.service_url)
    with socket.create_connection((netloc.hostname, netloc.port), timeout=10) as line:
        line.sendall(_head(citizen, number, 500 * pictures.MEGABYTE, "abc") + b"\r\n")
        assert line.recv(100).startswith(b"HTTP/1.1 413")


def test_the_form_must_have_one_file_and_a_material(draft: tuple[Citizen, str]) -> None:
    citizen, number = draft
    picture = pictures.jpeg()
    cases = [
        ({"photo": picture}, 422, ["material"]),
        ({"material": "id_card"}, 422, ["file"]),
    ]
    for parts, status, missing in cases:
        refused = citizen.upload(number, parts)
        assert refused.status == status
        assert [f["part"] for f in refused.json()["params"]["fields"]] == missing
    two = citizen.upload(number, {"material": "id_card", "a": picture, "b": picture})
    assert (two.status, two.code) == (400, "bad-request")
    unknown = citizen.upload(number, {"material": "nothing", "photo": picture})
    assert (unknown.status, unknown.code) == (404, "not-found")
    json_body = citizen.call("POST", f"/matters/{number}/photos", {"material": "id_card"})
    assert (json_body.status, json_body.code) == (415, "photo-type")
    own_fields = {"note": "hello", "photo": picture, "more": "x", "material": "id_card"}
    assert citizen.upload(number, own_fields).status == 201


def test_the_same_key_gives_one_photo(draft: tuple[Citizen, str]) -> None:
    citizen, number = draft
    parts = {"material": "reason_proof", "photo": pictures.jpeg()}
    first = citizen.upload(number, parts, key="photo-key-1")
    second = citizen.upload(number, parts, key="photo-key-1")
    assert (first.status, second.status) == (201, 201)
    assert first.json()["version"] == second.json()["version"]
    assert len(photos_of(citizen, number, "reason_proof")) == 1
    other = citizen.upload(number, {**parts, "material": "id_card"}, key="photo-key-1")
    assert other.status == 201 and len(photos_of(citizen, number, "id_card")) == 1


def test_more_photos_than_the_material_takes(draft: tuple[Citizen, str]) -> None:
    citizen, number = draft
    parts = {"material": "id_card", "photo": pictures.jpeg()}
    assert citizen.upload(number, parts).status == 201
    refused = citizen.upload(number, parts)
    assert (refused.status, refused.code) == (409, "photo-limit")


def test_a_cut_connection_leaves_nothing(town: Town, draft: tuple[Citizen, str]) -> None:
    citizen, number = draft
    body, kind = multipart({"material": "id_card", "photo": b"\xff\xd8\xff" + b"x" * 3_000_000})
    netloc = urlsplit(citizen.house.service_url)
    spool = town.house.folder / "spool"
    with socket.create_connection((netloc.hostname, netloc.port), timeout=10) as line:
        head = _head(citizen, number, len(body), kind.rpartition("=")[2])
        line.sendall(head + b"\r\n" + body[:1_500_000])
        _until(lambda: any(spool.iterdir()))
    _until(lambda: not any(spool.iterdir()))
    assert photos_of(citizen, number, "id_card") == []
    log = (town.house.folder / "service-1.log").read_text()
    assert "unexpected-error" not in log


def test_nothing_stays_spooled_after_a_refusal(town: Town, draft: tuple[Citizen, str]) -> None:
    citizen, number = draft
    citizen.upload(number, {"material": "id_card", "photo": b"no picture"})
    citizen.token = ""
    refused = citizen.upload(number, {"material": "id_card", "photo": pictures.jpeg()})
    assert (refused.status, refused.code) == (401, "not-logged-in")
    _until(lambda: not any((town.house.folder / "spool").iterdir()))


def _head(citizen: Citizen, number: str, length: int, boundary: str) -> bytes:
    lines = [
        f"POST /api/v1/matters/{number}/photos HTTP/1.1",
        "Host: test",
        f"Content-Length: {length}",
        f"Content-Type: multipart/form-data; boundary={boundary}",
        *(f"{name}: {value}" for name, value in citizen.headers("POST").items()),
    ]
    return ("\r\n".join(lines) + "\r\n").encode()


def _until(true: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.05)
