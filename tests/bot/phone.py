"""A citizen's phone in the sandbox, and the registry's people, for conversations that are real."""

import csv
import itertools
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stdnum.cn import ric

OFFICE = "4101V01"
_LICENCE = [
    "id_number",
    "name",
    "phone",
    "number",
    "vehicle_class",
    "status",
    "issued_on",
    "valid_from",
    "valid_until",
    "issuing_office",
    "points",
]
_ORDERS = itertools.count(1)


@dataclass(frozen=True)
class Person:
    """Somebody the registry knows."""

    id_number: str
    name: str
    phone: str


def new_person() -> Person:
    """A person nobody else is: born in Zhengzhou, with a mobile phone."""
    n = next(_ORDERS)
    body = f"41010519900{1 + n // 900}01{n % 900 + 100}"
    return Person(body + ric.calc_check_digit(body + "0"), "王小明", f"138{n:08d}")


def write_registry(folder: Path, holders: list[Person], others: list[Person]) -> None:
    """The registry's files: ``holders`` have a licence that ends soon, ``others`` have none."""
    with (folder / "licences.csv").open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(_LICENCE)
        for p in holders:
            dates = ("2017-02-01", "2023-02-01", "2027-02-01")
            rows.writerow(
                (p.id_number, p.name, p.phone, p.id_number, "C1", "正常", *dates, OFFICE, 0)
            )
    with (folder / "population.csv").open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(("id_number", "name"))
        rows.writerows((p.id_number, p.name) for p in others)
    with (folder / "offices.csv").open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(("code", "name", "kind", "region", "address", "hours", "phone"))
        for code, city, region in ((OFFICE, "郑州", "4101"), ("4103V01", "洛阳", "4103")):
            name = f"{city}市公安局车辆管理所"
            place = f"{city}市示范路1号"
            rows.writerow((code, name, "vehicle_office", region, place, "工作日", "0371-5550101"))


@dataclass
class Phone:
    """One person's WeChat: says things and reads what comes back."""

    sandbox: str
    id: str
    person: Person
    openid: str
    heard: list[str] = field(default_factory=list)

    def say(self, text: str, **more: Any) -> str:
        """Type a message; gives the answer."""
        return self._reply(self.push("say", {"text": text, **more}))

    def speak(self, recognition: str) -> str:
        """Send a voice message as WeChat understood it."""
        return self._reply(self.push("voice", {"recognition": recognition}))

    def show(self, picture: bytes, kind: str = "image/jpeg") -> str:
        """Send a photo."""
        return self._reply(_call(f"{self._base}/image", picture, kind))

    def event(self, name: str, key: str = "", **fields: str) -> str:
        """An event of the account; gives the answer, empty for none."""
        return self._reply(self.push("event", {"event": name, "key": key, "fields": fields}))

    def push(self, kind: str, wish: dict[str, Any]) -> dict[str, Any]:
        """What came of one push: statuses, replies."""
        return _call(f"{self._base}/{kind}", json.dumps(wish).encode(), "application/json")

    def code(self) -> str:
        """The newest six-digit code that came by SMS, once there is one."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            inbox = _call(f"{self.sandbox}/sandbox/phones/{self.person.phone}/sms")
            codes = [c for sms in inbox for c in re.findall(r"(?<!\d)\d{6}(?!\d)", sms["text"])]
            if codes:
                return str(codes[-1])
            time.sleep(0.05)
        raise AssertionError("no code came")

    def register(self) -> str:
        """The whole registration; gives the last answer."""
        for words in ("注册", self.person.id_number, self.person.name, self.person.phone):
            self.say(words)
        return self.say(self.code())

    @property
    def _base(self) -> str:
        return f"{self.sandbox}/sandbox/people/{self.id}"

    def _reply(self, pushed: dict[str, Any]) -> str:
        assert pushed["statuses"] == [200], pushed
        text = "".join(r["text"] for r in pushed["replies"])
        self.heard.append(text)
        return text


def _call(url: str, body: bytes | None = None, kind: str = "") -> Any:
    request = urllib.request.Request(url, data=body, headers={"Content-Type": kind} if kind else {})
    with urllib.request.urlopen(request, timeout=40) as answer:
        return json.load(answer)


def phones(sandbox: str) -> Callable[[Person], Phone]:
    """A maker of phones that follow the account."""

    def make(person: Person) -> Phone:
        wish = json.dumps({"name": person.name, "phone": person.phone}).encode()
        shown = _call(f"{sandbox}/sandbox/people", wish, "application/json")
        return Phone(sandbox, shown["person"], person, shown["openid"])

    return make


def status_of(url: str, body: bytes | None = None, method: str = "GET") -> tuple[int, bytes]:
    """Status and body of a plain request."""
    request = urllib.request.Request(url, data=body, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()
