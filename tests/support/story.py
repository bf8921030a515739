"""A citizen's way through the service for races and kills, and what is left of it afterwards.

The town is founded through ``open_house`` instead of the command line: the same rows, in less time.
"""

import asyncio
import re
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeVar

from bianmin.app import open_house
from bianmin.settings import PREFIX, Settings
from casework import exchange, officers
from casework.context import Context
from rules.catalogue import Catalogue
from rules.notices import FINAL
from storage.matter_documents import StoredMatter
from tests.api import pictures
from tests.support.citizens import OFFICE, Citizen, Known, Town, hidden, known
from tests.support.processes import House
from tests.support.web import Browser, Reply, fetch, fetch_json

SERVICE = "licence-deferral"
TEMPLATE = "matter-progress"
_PASSWORD = "correct horse battery"

Result = TypeVar("Result")


@asynccontextmanager
async def inside(house: House) -> AsyncIterator[Context]:
    """The verbs and stores of a house whose processes run elsewhere."""
    given = {k.removeprefix(PREFIX).lower(): v for k, v in house.env.items()}
    known = {k: v for k, v in given.items() if k in Settings.model_fields}
    settings = Settings(_env_file=None, **known)  # type: ignore[arg-type]  # texts, as in .env
    async with open_house(settings, house.urls, with_lab=False) as ctx:
        yield ctx


def look(house: House, work: Callable[[Context], Awaitable[Result]]) -> Result:
    """Do something inside a house and give its result."""

    async def done() -> Result:
        async with inside(house) as ctx:
            return await work(ctx)

    return asyncio.run(done())


def at(house: House, port: int) -> House:
    """The same house, spoken to at another of its service processes."""
    return replace(house, port=port, started=[])


class QuickTown(Town):
    """A town founded from inside; an officer's browser may speak to any service process."""

    def _import(self, kind: str, path: Path) -> None:
        async def take(ctx: Context) -> None:
            report = await exchange.import_file(ctx, kind, path, lambda rows: None)
            assert report.errors == [], report.errors

        look(self.house, take)

    def somebody_like(self, person: Known) -> Citizen:
        """One more WeChat account of the same person."""
        wish = {"name": person.name, "phone": person.phone, "follow": False}
        made = fetch_json(self.house.sandbox_url, "POST", "/sandbox/people", wish).json()
        return Citizen(self.house, person, str(made["person"]))

    def without_licence(self, index: int) -> Citizen:
        """Somebody only the population registry knows: no phone of his is on file anywhere."""
        person = replace(known(700 + index), phone="")

        async def add(ctx: Context) -> None:
            row = {"id_number": person.id_number, "name": person.name}
            await ctx.stores.registry.upsert_population([row])

        look(self.house, add)
        return self.somebody_like(person)

    def desk(self, office: str) -> Browser:
        """The browser of an officer of that office, logged in."""
        if office not in self._desks:
            self._desks[office] = self.officer(f"officer{office.lower()}", office)
        return self._desks[office]

    def officer(self, name: str, office: str = OFFICE) -> Browser:
        """A new officer at a browser of his own."""

        async def add(ctx: Context) -> None:
            await officers.add_officer(
                ctx,
                username=name,
                name="测试民警",
                role="reviewer",
                office=office,
                password=_PASSWORD,
                totp=False,
            )

        look(self.house, add)
        return logged_in(self.house.service_url, name)


def logged_in(url: str, name: str) -> Browser:
    """An officer's browser at one service process."""
    browser = Browser(url)
    browser.open("/desk/login")
    page = browser.send("/desk/login", {"username": name, "password": _PASSWORD})
    assert page.status == 200 and "desk_session" in browser.cookies, page.body.decode()
    return browser


# -- the citizen's and the officer's steps ------------------------------------------------------


def filled(citizen: Citizen, number: str, note: str = "", photo: bytes | None = None) -> None:
    """Everything a submission needs: form and two photos."""
    until = (date.today() + timedelta(days=400)).isoformat()
    form = {"reason": "出国", "until": until} | ({"note": note} if note else {})
    done = keenly(citizen, "PATCH", f"/matters/{number}", {"form": form})
    assert done.status == 200, done.body
    for material in ("id_card", "reason_proof"):
        parts = {"material": material, "photo": photo or pictures.jpeg()}
        key = fresh_key()
        done = patiently(lambda p=parts, k=key: citizen.upload(number, p, key=k))
        assert done.status == 201, done.body


def ready_draft(citizen: Citizen) -> str:
    """The number of a draft of a face-signed citizen that only wants submitting."""
    begun = keenly(citizen, "POST", "/matters", {"service": SERVICE})
    assert begun.status == 201, begun.body
    number = str(begun.json()["number"])
    filled(citizen, number)
    return number


def consent(citizen: Citizen) -> None:
    """Tap "allow" for one subscribe message."""
    wish = {"template_id": TEMPLATE, "accept": True}
    path = f"/sandbox/people/{citizen.wechat}/consent"
    assert fetch_json(citizen.house.sandbox_url, "POST", path, wish).status == 200
    told = {"template_id": TEMPLATE, "result": "accept"}
    assert keenly(citizen, "POST", "/consents", told).status in (200, 204)


def decision(page: Reply, verb: str, **changes: str) -> dict[str, str | list[str]]:
    """The form of a decision as the officer's page offers it."""
    fields: dict[str, str | list[str]] = {
        "cause": hidden(page, "cause"),
        "version": hidden(page, "version"),
        "decision": verb,
        "part": ["material:id_card", "material:reason_proof", "field:until"],
    }
    if verb == "send_back":
        fields |= {"defect": ["field:until"], "own:field:until": "请填到签证所载日期"}
    return fields | changes


def decide(desk: Browser, number: str, verb: str) -> Reply:
    """Open the matter and decide it; a broken connection is answered by the same click again."""
    fields = decision(patiently(lambda: desk.open(f"/desk/matters/{number}")), verb)
    return patiently(lambda: desk.send(f"/desk/matters/{number}/decision", fields))


def keenly(citizen: Citizen, method: str, path: str, value: Any = None) -> Reply:
    """A request of the mini-program, repeated with the same key until it is answered."""
    key = fresh_key()
    return patiently(lambda: citizen.call(method, path, value, key=key))


def patiently(ask: Callable[[], Reply], seconds: float = 60.0) -> Reply:
    """Repeat a request, its key unchanged, until it is answered and not by a failing house."""
    end = time.monotonic() + seconds
    while True:
        try:
            reply = ask()
            if reply.status < 500 or time.monotonic() > end:
                return reply
        except OSError:
            if time.monotonic() > end:
                raise
        time.sleep(0.2)


# -- what is left --------------------------------------------------------------------------------


def stored(house: House, number: str) -> StoredMatter:
    """A matter as stored now."""

    async def get(ctx: Context) -> StoredMatter:
        found = await ctx.stores.matters.get(number)
        assert found is not None, number
        return found

    return look(house, get)


def until(promise: str, held: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Wait for something to come true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = held()
        if found:
            return found
        time.sleep(0.3)
    raise AssertionError(f"not within {seconds:.0f} s: {promise}")


async def unsettled(ctx: Context) -> int:
    """Matters that still owe a notice or an effect."""
    owing = {"$or": [{"notice_due": {"$exists": True}}, {"effect_due": {"$exists": True}}]}
    return int(await ctx.stores.database["matters"].count_documents(owing))


def wait_until_settled(house: House) -> None:
    """Return once no matter owes anything."""
    until("every notice sent, every effect applied", lambda: not look(house, unsettled))


def days_later(house: House) -> None:
    """Let time pass for a worker: leases end, doubts may be looked up, effects are swept.

    Three workers, each with its clock a day further ahead, instead of minutes of waiting; so what
    is looked up was sent on another day.
    """
    for day in (1, 2, 3):
        worker = house.start_worker(BIANMIN_CLOCK_OFFSET=str(86400 * day))
        # What is in doubt waits for the next of them.
        until("nothing left in hand", lambda: not look(house, in_hand))
        if day == 3:
            wait_until_settled(house)
        worker.stop()


async def in_hand(ctx: Context) -> int:
    """Notices due or being sent, and effects owed."""
    found = 0
    async for document in ctx.stores.database["matters"].find({}):
        states = [n["state"] for n in document.get("notices", {}).values()]
        found += sum(s in ("due", "sending") for s in states) + ("effect_due" in document)
    return found


def assert_whole(house: House, number: str) -> StoredMatter:
    """The document agrees with the timeline it holds, each cause brought one event about."""

    async def get(ctx: Context) -> tuple[dict[str, Any], StoredMatter, Catalogue]:
        document = await ctx.stores.database["matters"].find_one({"_id": number})
        found = await ctx.stores.matters.get(number)
        assert document is not None and found is not None
        return document, found, ctx.book.catalogue

    document, found, catalogue = look(house, get)
    matter = found.matter  # replayed from the events
    assert document["state"] == matter.state.value
    assert document["version"] == matter.version == len(matter.timeline)
    assert [e.id for e in matter.timeline] == [
        f"{number}-{n + 1:04d}" for n in range(matter.version)
    ]
    causes = Counter(e.cause for e in matter.timeline)
    assert set(causes.values()) == {1}, causes
    told = {f"{e.id}-a" for e in matter.timeline if e.type in catalogue[matter.service].notices}
    assert set(found.notices) == told
    return found


def received(house: House) -> Counter[str]:
    """How often each notice reached a phone: by its id for SMS, by its matter for WeChat."""
    journal = fetch(house.sandbox_url, "GET", "/sandbox/journal").json()["entries"]
    found: Counter[str] = Counter()
    for entry in journal:
        if entry["kind"] == "sms" and "code" not in entry["params"]:
            found[entry["out_id"]] += 1
        elif entry["kind"] == "chat" and entry.get("via") == "subscribe":
            number = re.search(r"no=(\d{12})", str(entry))
            assert number is not None, entry
            found[f"subscribe:{number[1]}"] += 1
    return found


def assert_told_once(house: House, matter: StoredMatter) -> int:
    """Each notice of a matter is on the phones once; a flagged one may be there twice, by WeChat
    and by SMS, but never twice by SMS. Gives how many bear the flag."""
    phones = received(house)
    by_sms = {n.id: phones[n.id] for n in matter.notices.values()}
    by_wechat = phones[f"subscribe:{matter.matter.number}"]
    assert all(n.state in FINAL for n in matter.notices.values()), matter.notices
    flagged = sum(n.flagged for n in matter.notices.values())
    assert max(by_sms.values(), default=0) <= 1, by_sms
    arrived = sum(by_sms.values()) + by_wechat
    assert len(by_sms) <= arrived <= len(by_sms) + flagged, (by_sms, by_wechat, flagged)
    return flagged


def fresh_key() -> str:
    """An Idempotency-Key of its own."""
    return secrets.token_urlsafe(16)


# -- the chat ------------------------------------------------------------------------------------


def follow(citizen: Citizen) -> None:
    """Follow the official account."""
    _push(citizen, "event", {"event": "subscribe"})


def say(citizen: Citizen, text: str) -> str:
    """Write to the official account; the passive reply."""
    return _push(citizen, "say", {"text": text})


def _push(citizen: Citizen, kind: str, wish: dict[str, str]) -> str:
    path = f"/sandbox/people/{citizen.wechat}/{kind}"
    pushed = fetch_json(citizen.house.sandbox_url, "POST", path, wish).json()
    return "\n".join(str(r.get("text", "")) for r in pushed["replies"])


def asked_for_code(citizen: Citizen) -> None:
    """Register in the chat as far as the question for the code, which is on the phone then."""
    follow(citizen)
    say(citizen, "注册")
    say(citizen, citizen.person.id_number)
    say(citizen, citizen.person.name)
    citizen.asked_at = time.time()
    answer = say(citizen, citizen.person.phone)
    assert "验证码" in answer, answer
