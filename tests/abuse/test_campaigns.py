"""Guessing campaigns against a running service: what was tried, and what it got: nothing.

Each is a few hundred requests from many addresses. Beside each stands somebody who has a right and
is not kept from it.
"""

import re
import secrets
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from pymongo import MongoClient

from storage.engines import EngineUrls
from tests.abuse.attacker import Attacker, Seen, address, seen
from tests.support.citizens import known
from tests.support.processes import House
from tests.support.story import QuickTown, logged_in
from tests.support.web import Browser, fetch

WRONG = "000000"


@pytest.fixture(scope="module")
def town(engine_urls: EngineUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[QuickTown]:
    """A service with its sandbox; codes are sent."""
    database = f"test_abuse_{secrets.token_hex(6)}"
    with House(tmp_path_factory.mktemp("abuse"), engine_urls, database) as house:
        house.start_sandbox()
        town = QuickTown(house, 60, valid_until=date.today() + timedelta(days=60))
        house.start_service()
        house.start_code_sender()
        yield town
    client: MongoClient[dict[str, object]] = MongoClient(engine_urls.mongo_url)
    with client:
        client.drop_database(database)


@pytest.fixture
def attacker(town: QuickTown) -> Iterator[Attacker]:
    """Somebody at the same service."""
    one = Attacker(town.house.service_url)
    yield one
    one.close()


def report(what: str, tried: int, got: object) -> None:
    """One line for whoever reads the run."""
    print(f"{what}: {tried} requests, got {got}")


def test_id_numbers_do_not_tell_whether_they_are_registered(
    town: QuickTown, attacker: Attacker
) -> None:
    """Registered, in the registry only, and nowhere; asked in each way there is without a login."""
    registered = [town.registered().person for _ in range(8)]
    somebody = [town.somebody().person for _ in range(8)]
    nobody = [known(2000 + n) for n in range(8)]
    told: dict[str, set[tuple[Seen, ...]]] = {}
    for group, people in (("account", registered), ("registry", somebody), ("nowhere", nobody)):
        told[group] = set()
        for n, person in enumerate(people):
            source = address(10 * n + len(told))
            number = person.id_number
            login = {"purpose": "login", "id_number": number}
            register = {"purpose": "register", "id_number": number, "phone": "13700000000"}
            guess = {"id_number": number, "sms_code": WRONG}
            claim = {**guess, "name": person.name, "phone": "13700000000", "region": "4101"}
            answers = [
                seen(attacker.ask("POST", path, value, source=source))
                for path, value in (
                    ("/login/id-number", guess),
                    ("/sms-codes", login),
                    ("/sms-codes", login),
                    ("/login/id-number", guess),
                    ("/registrations", claim),
                    # One code an ID number and minute, for each purpose.
                    ("/sms-codes", register),
                    ("/sms-codes", register),
                    ("/registrations", claim),
                )
            ]
            told[group].add(tuple(answers))
    kinds = set().union(*told.values())
    report("ID numbers", attacker.asked, f"{len(kinds)} kind of answer for three kinds of people")
    assert len(kinds) == 1, kinds
    assert [status for status, _ in next(iter(kinds))] == [422, 200, 429, 422, 422, 200, 429, 422]


def test_codes_are_not_guessed_and_the_victim_logs_in_meanwhile(
    town: QuickTown, attacker: Attacker
) -> None:
    victim = town.somebody()
    town.face_sign(victim.person)
    number = victim.person.id_number
    wish = {"purpose": "login", "id_number": number}
    sent = victim.call("POST", "/sms-codes", wish)
    assert sent.status == 200
    code = victim.sms_code()
    outcomes: Counter[str] = Counter()
    for n in range(40):
        source = address(n)
        asked = attacker.ask("POST", "/sms-codes", wish, source=source)
        outcomes[f"a code wanted: {asked.status}"] += 1
        for guess in (code, *(f"{secrets.randbelow(10**6):06d}" for _ in range(7))):
            body = {"id_number": number, "sms_code": guess}
            tried = attacker.ask("POST", "/login/id-number", body, source=source)
            outcomes[tried.code if tried.status != 200 else "in"] += 1
    report("codes", attacker.asked, dict(outcomes))
    # They are told a code was sent; the phone got none, so no digits fit: not even the victim's.
    assert outcomes == {"a code wanted: 200": 40, "code-wrong": 200, "too-many-tries": 120}
    assert victim.sms_code() == code
    done = victim.call("POST", "/login/id-number", {"id_number": number, "sms_code": code})
    assert done.status == 200, done.body


def test_more_addresses_are_no_more_tries(town: QuickTown, attacker: Attacker) -> None:
    """From each they are told five times that they are wrong; what counts is how many codes really
    went out, for only those could be guessed."""
    victim = town.somebody()
    assert victim.register().status == 201
    number, wish = victim.person.id_number, {"purpose": "login"}
    outcomes: Counter[str] = Counter()
    for n in range(30):
        source = address(500 + n)
        asked = attacker.ask("POST", "/sms-codes", {**wish, "id_number": number}, source=source)
        outcomes[f"a code wanted: {asked.status}"] += 1
        for _ in range(8):
            body = {"id_number": number, "sms_code": f"{secrets.randbelow(10**6):06d}"}
            tried = attacker.ask("POST", "/login/id-number", body, source=source)
            outcomes[tried.code if tried.status != 200 else "in"] += 1
    report("codes, from everywhere", attacker.asked, dict(outcomes))
    assert outcomes == {"a code wanted: 200": 30, "code-wrong": 150, "too-many-tries": 90}
    # That of registering was in this minute: of thirty codes wanted none reached the phone.
    inbox = fetch(town.house.sandbox_url, "GET", f"/sandbox/phones/{victim.person.phone}/sms")
    assert len([s for s in inbox.json() if "code" in s["params"]]) == 1
    # His WeChat knows him; no code is needed, and none of this reaches it.
    assert victim.call("POST", "/login", {"code": victim.wx_login()}).status == 200


def test_tokens_are_not_guessed(town: QuickTown, attacker: Attacker) -> None:
    victim, own = town.registered(), town.registered()
    key, device, *secret = victim.token.split(".")
    theirs = own.token.split(".")[2:]

    def random() -> str:
        return secrets.token_urlsafe(32)

    # Even who knows account and device; but not the login's own secret family, for who shows that
    # with another secret holds a copy of a former token, and the device is signed out for it.
    guesses = [random() for _ in range(40)]
    guesses += [".".join((random(), random(), random(), random())) for _ in range(60)]
    guesses += [".".join((key, random()[:22], random(), random())) for _ in range(60)]
    guesses += [".".join((key, device, random(), random())) for _ in range(150)]
    guesses += [".".join((key, device, *theirs)), ".".join((key, device, random(), secret[-1]))]
    guesses += [key, f"{key}.", f"{key}.{device}", f"{key}.{device}..", "null", "...."]
    kinds = {seen(attacker.ask("GET", "/me", token=g)) for g in guesses}
    report("bearer tokens", attacker.asked, f"{len(kinds)} kind of answer")
    assert len(kinds) == 1 and next(iter(kinds))[0] == 401
    assert victim.call("GET", "/me").status == 200


def test_matter_numbers_give_nothing_even_when_guessed_right(
    town: QuickTown, attacker: Attacker
) -> None:
    victim, own = town.face_signed(), town.face_signed()
    begun = victim.call("POST", "/matters", {"service": "licence-deferral"})
    assert begun.status == 201, begun.body
    right = str(begun.json()["number"])
    near = [f"{(int(right) + n) % 10**12:012d}" for n in range(-30, 31) if n]
    numbers = [right, *near, *(f"{secrets.randbelow(10**12):012d}" for _ in range(40))]
    ways = (
        ("GET", "", None),
        ("PATCH", "", {"form": {"reason": "出国"}}),
        ("POST", "/submit", {}),
        ("POST", "/urge", {}),
        ("DELETE", "", None),
    )
    kinds: dict[tuple[str, str], set[Seen]] = {}
    for number in numbers:
        for method, path, value in ways:
            reply = attacker.ask(method, f"/matters/{number}{path}", value, token=own.token)
            kinds.setdefault((method, path), set()).add(seen(reply))
    report("matter numbers", attacker.asked, {way: len(k) for way, k in kinds.items()})
    assert all(len(answers) == 1 for answers in kinds.values()), kinds
    assert {status for answers in kinds.values() for status, _ in answers} == {404}
    mine = victim.call("GET", f"/matters/{right}")
    assert mine.status == 200 and mine.json()["state"] == "draft"


def test_desk_logins_are_not_guessed_and_the_officer_works_on(
    town: QuickTown, attacker: Attacker
) -> None:
    officer = town.officer("zhang")
    names = ["zhang", "admin", "root", "officer", "li", "wang"]
    words = ["123456", "password", "admin", "zhang", "zhengzhou", "correct horse", "666666"]
    outcomes: Counter[int] = Counter()
    answers: dict[str, set[str]] = {}
    tried = 0
    for n in range(2):
        browser = Browser(town.house.service_url, source=address(900 + n))
        browser.open("/desk/login")
        for name in names:
            for word in words:
                page = browser.send("/desk/login", {"username": name, "password": word})
                tried += 1
                outcomes[page.status] += 1
                told = re.search(r'role="alert".*?</', page.body.decode(), re.DOTALL)
                answers.setdefault(name, set()).add(told[0] if told else "")
                assert "desk_session" not in browser.cookies
    report("desk logins", tried, dict(outcomes))
    # Five tries for a name and address, then none; a name that exists is told from none by nobody.
    assert outcomes == {403: 2 * 6 * 5, 429: 2 * 6 * 2}
    assert all(told == answers["zhang"] for told in answers.values()) and "" not in answers["zhang"]
    assert officer.open("/desk/").status == 200
    assert logged_in(town.house.service_url, "zhang").open("/desk/").status == 200
