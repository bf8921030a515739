"""Citizens for tests: people the registry knows, registered and face-signed the real way."""

import csv
import json
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from stdnum.iso7064 import mod_11_2

from tests.support.faces import face
from tests.support.processes import House
from tests.support.web import Browser, Reply, fetch, fetch_json, multipart

OFFICE = "4101V01"
OTHER_OFFICE = "4105V01"
CODE_SECONDS = 20.0
_NAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗"
_OFFICES = Path(__file__).parents[2] / "sandbox" / "registry" / "offices.csv"


@dataclass(frozen=True)
class Known:
    """A person as the registry knows him."""

    id_number: str
    name: str
    phone: str


def known(index: int) -> Known:
    """The person of that number; the same on every run."""
    body = f"410105{date(1980, 1, 1) + timedelta(days=index):%Y%m%d}{101 + index % 800}"
    name = _NAMES[index % 20] + "测" + _NAMES[index // 20 % 20]
    return Known(body + mod_11_2.calc_check_digit(body), name, f"139{index:08d}")


@dataclass
class Citizen:
    """A person at his phone: the mini-program's requests, with a token once he is logged in."""

    house: House
    person: Known
    wechat: str
    token: str = ""
    asked_at: float = 0.0
    """When he last asked for a code."""

    def call(self, method: str, path: str, value: Any = None, *, key: str | None = None) -> Reply:
        """A request of the mini-program; a write gets a fresh Idempotency-Key unless one is given.
        ``key=""`` sends none."""
        if path == "/sms-codes":
            self.asked_at = time.time()
        body = None if value is None else json.dumps(value).encode()
        headers = self.headers(method, key) | {"Content-Type": "application/json"}
        return fetch(self.house.service_url, method, f"/api/v1{path}", body, headers)

    def headers(self, method: str, key: str | None = None) -> dict[str, str]:
        """Token and key."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if method != "GET" and key != "":
            headers["Idempotency-Key"] = key or secrets.token_urlsafe(16)
        return headers

    def upload(
        self, number: str, parts: Mapping[str, str | bytes], *, key: str | None = None
    ) -> Reply:
        """A multipart upload to a matter."""
        body, kind = multipart(parts)
        headers = self.headers("POST", key) | {"Content-Type": kind}
        path = f"/api/v1/matters/{number}/photos"
        return fetch(self.house.service_url, "POST", path, body, headers)

    def sms_code(self) -> str:
        """The code last asked for, once it is on the phone."""
        path = f"/sandbox/phones/{self.person.phone}/sms"
        end = time.monotonic() + CODE_SECONDS
        while time.monotonic() < end:
            inbox = fetch(self.house.sandbox_url, "GET", path).json()
            codes = [s for s in inbox if "code" in s["params"] and s["at"] >= self.asked_at]
            if codes:
                return str(codes[-1]["params"]["code"])
            time.sleep(0.05)
        raise AssertionError(f"no code within {CODE_SECONDS:.0f} s")

    def wx_login(self) -> str:
        """A fresh code of ``wx.login``."""
        path = f"/sandbox/people/{self.wechat}/login-code"
        return str(fetch_json(self.house.sandbox_url, "POST", path, {}).json()["code"])

    def register(self, *, key: str | None = None, **changes: Any) -> Reply:
        """Register by real name, with the code just sent; keeps the token on success."""
        person = self.person
        wish = {"purpose": "register", "id_number": person.id_number, "phone": person.phone}
        sent = self.call("POST", "/sms-codes", wish)
        assert sent.status == 200, sent.body
        body = {
            "id_number": person.id_number,
            "name": person.name,
            "phone": person.phone,
            "sms_code": self.sms_code(),
            "wechat_code": self.wx_login(),
            **changes,
        }
        reply = self.call("POST", "/registrations", body, key=key)
        if reply.status == 201:
            self.token = reply.json()["token"]
        return reply


class Town:
    """A house with a registry in it: people known to it, and officers who sign them up."""

    def __init__(self, house: House, count: int, *, valid_until: date) -> None:
        """Imports ``count`` people with a licence of ``OFFICE`` valid until that day."""
        self.house = house
        self._next = 0
        self._desks: dict[str, Browser] = {}
        people = [known(i) for i in range(count)]
        issued = valid_until.replace(year=valid_until.year - 6).isoformat()
        self._import("offices", _OFFICES)
        self._import(
            "population",
            self._csv("population", [{"id_number": p.id_number, "name": p.name} for p in people]),
        )
        self._import(
            "licences",
            self._csv(
                "licences",
                [
                    {
                        "id_number": p.id_number,
                        "name": p.name,
                        "phone": p.phone,
                        "number": p.id_number,
                        "vehicle_class": "C1",
                        "status": "正常",
                        "issued_on": issued,
                        "valid_from": issued,
                        "valid_until": valid_until.isoformat(),
                        "issuing_office": OFFICE,
                        "points": "0",
                    }
                    for p in people
                ],
            ),
        )

    def somebody(self) -> Citizen:
        """A person of the registry who has no account yet, with WeChat on his phone."""
        person = known(self._next)
        self._next += 1
        wish = {"name": person.name, "phone": person.phone, "follow": False}
        made = fetch_json(self.house.sandbox_url, "POST", "/sandbox/people", wish).json()
        return Citizen(self.house, person, str(made["person"]))

    def registered(self) -> Citizen:
        """Somebody with an account."""
        citizen = self.somebody()
        reply = citizen.register()
        assert reply.status == 201, reply.body
        return citizen

    def face_signed(self) -> Citizen:
        """Somebody whose licence was bound at the window of the office that issued it."""
        citizen = self.registered()
        self.face_sign(citizen.person)
        return citizen

    def face_sign(self, person: Known) -> None:
        """At the desk of ``OFFICE``, with the forms an officer uses."""
        path, fields = self.face_sign_form(person)
        done = self.desk(OFFICE).send(path, fields)
        assert done.status == 200, done.body.decode()

    def face_sign_form(self, person: Known) -> tuple[str, dict[str, str | list[str]]]:
        """A visit with both pictures looked at, one click before its end: address and fields."""
        desk = self.desk(OFFICE)
        desk.open("/desk/face-sign")
        page = desk.send("/desk/face-sign/person", {"id_number": person.id_number})
        found = re.search(r"/desk/face-sign/[\w-]{43}", page.body.decode())
        assert found is not None, page.body.decode()
        page = desk.send_file(f"{found[0]}/picture", "picture", face())
        assert page.status == 200, page.body.decode()
        assert desk.open(f"{found[0]}/picture").status == 200
        checked = ["card", "face", "papers"]
        return f"{found[0]}/receipt", {"phone": person.phone, "checked": checked}

    def desk(self, office: str) -> Browser:
        """The browser of an officer of that office, logged in."""
        if office not in self._desks:
            name, password = f"officer{office.lower()}", secrets.token_urlsafe(12)
            wish = ("--name", "测试民警", "--office", office, "--no-totp", "--password", password)
            added = self.house.command("officer", "add", name, *wish)
            assert added.returncode == 0, added.stderr
            browser = Browser(self.house.service_url)
            browser.open("/desk/login")
            page = browser.send("/desk/login", {"username": name, "password": password})
            assert page.status == 200 and "desk_session" in browser.cookies, page.body.decode()
            self._desks[office] = browser
        return self._desks[office]

    def _csv(self, kind: str, rows: list[dict[str, str]]) -> Path:
        path = self.house.folder / f"{kind}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return path

    def _import(self, kind: str, path: Path) -> None:
        done = self.house.command("import", kind, str(path))
        assert done.returncode == 0, done.stdout + done.stderr


def hidden(page: Reply, name: str) -> str:
    """The value of a hidden field of a page."""
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page.body.decode())
    assert found is not None, f"the page has no field {name}"
    return found[1]
