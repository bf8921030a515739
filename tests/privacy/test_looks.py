"""What an officer is shown and what the access log says of it are one: every page is opened, and
what stands on it is held against the entries it left."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from casework.context import Context
from rules.masking import LOOKS, SCREENS, groups, look_group, mask_id, mask_name, mask_phone
from storage.engines import EngineUrls
from tests.support.citizens import OFFICE, OTHER_OFFICE, Citizen
from tests.support.processes import House
from tests.support.story import SERVICE, QuickTown, decide, filled, look
from tests.support.web import Browser, Reply

NOTE, PLATE = "赴智利工作两年", "豫A7X3K9"


@dataclass
class Watched:
    """A desk, and the person whose things are looked at."""

    house: House
    town: QuickTown
    citizen: Citizen
    number: str
    photo: str

    def logged(self, open_page: Callable[[], Reply]) -> tuple[str, set[str]]:
        """The page's text, and the field groups its entries name."""
        before = look(self.house, _entries)
        page = open_page()
        assert page.status == 200, page.body[:500]
        fresh = {k: v for k, v in look(self.house, _entries).items() if k not in before}
        assert fresh, "a page was shown and nothing written"
        text = page.body.decode("utf-8", "replace")
        return text, {field for fields in fresh.values() for field in fields}

    def shown(self, text: str) -> set[str]:
        """The groups that stand on a page, in clear or masked."""
        person = self.citizen.person
        pairs = {
            "name": (person.name, mask_name(person.name)),
            "id_number": (person.id_number, mask_id(person.id_number)),
            "phone": (person.phone, mask_phone(person.phone)),
        }
        found = set()
        for group, (clear, masked) in pairs.items():
            if clear in text:
                found.add(group)
            elif masked in text:
                found.add(f"{group}-masked")
        return found | {group for group, mark in MARKS.items() if mark in text}


MARKS: Mapping[str, str] = {
    "form": NOTE,
    "licence": "准驾车型",
    "vehicles": PLATE,
    "timeline": "已提交，办理单位收到",
    "notices": "办理单位正在审核，请等候结果。",
}


async def _entries(ctx: Context) -> dict[str, list[str]]:
    entries = ctx.stores.database["access_log"].find({}, {"fields": 1})
    return {e["_id"]: e["fields"] async for e in entries}


@pytest.fixture(scope="module")
def watched(engine_urls: EngineUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A submitted matter of a face-signed citizen with a vehicle."""
    with House(tmp_path_factory.mktemp("looks"), engine_urls, "privacy_looks") as house:
        house.start_sandbox()
        town = QuickTown(house, 3, valid_until=date.today() + timedelta(days=60))
        house.start_service()
        house.start_worker()
        citizen = town.registered()

        async def a_vehicle(ctx: Context) -> None:
            row = {
                "plate": PLATE,
                "owner_id_number": citizen.person.id_number,
                "owner_name": citizen.person.name,
                "owner_phone": citizen.person.phone,
                "kind": "小型汽车",
                "registering_office": OFFICE,
                "status": "正常",
            }
            await ctx.stores.registry.upsert_vehicles([row])

        look(house, a_vehicle)
        town.face_sign(citizen.person)
        number = str(citizen.call("POST", "/matters", {"service": SERVICE}).json()["number"])
        filled(citizen, number, note=NOTE)
        view = citizen.call("POST", f"/matters/{number}/submit").json()
        photo = next(p["id"] for m in view["materials"] for p in m["photos"])
        yield Watched(house, town, citizen, number, photo)


def _face_sign(desk: Browser, id_number: str) -> Reply:
    desk.open("/desk/face-sign")
    return desk.send("/desk/face-sign/person", {"id_number": id_number})


def test_the_work_list(watched: Watched) -> None:
    desk = watched.town.desk(OFFICE)
    text, logged = watched.logged(lambda: desk.open("/desk/"))
    assert watched.shown(text) == logged == set(groups("desk.worklist"))


def test_a_matter(watched: Watched) -> None:
    desk = watched.town.desk(OFFICE)
    text, logged = watched.logged(lambda: desk.open(f"/desk/matters/{watched.number}"))
    assert watched.shown(text) == logged == set(groups("desk.matter"))


def test_a_photo(watched: Watched) -> None:
    desk = watched.town.desk(OFFICE)
    path = f"/desk/matters/{watched.number}/photos/{watched.photo}"
    _, logged = watched.logged(lambda: desk.open(path))
    assert logged == {f"photo:{watched.photo}"}
    assert {look_group(named) for named in logged} == set(groups("desk.photo"))


def test_face_signing_at_the_right_office(watched: Watched) -> None:
    desk = watched.town.desk(OFFICE)
    person = watched.citizen.person
    text, logged = watched.logged(lambda: _face_sign(desk, person.id_number))
    assert watched.shown(text) == logged == set(groups("desk.face_sign"))


def test_face_signing_at_another_office(watched: Watched) -> None:
    desk = watched.town.desk(OTHER_OFFICE)
    person = watched.citizen.person
    text, logged = watched.logged(lambda: _face_sign(desk, person.id_number))
    assert watched.shown(text) == logged == set(groups("desk.face_sign_elsewhere"))


def test_who_is_turned_away_is_shown_and_noted_nothing(watched: Watched) -> None:
    desk = watched.town.desk(OTHER_OFFICE)
    before = look(watched.house, _entries)
    page = desk.open(f"/desk/matters/{watched.number}")
    assert page.status == 403 and watched.shown(page.body.decode()) == set()
    fresh = {k: v for k, v in look(watched.house, _entries).items() if k not in before}
    assert list(fresh.values()) == [[]]


def test_a_decision_leaves_its_looks_too(watched: Watched) -> None:
    desk = watched.town.desk(OFFICE)
    text, logged = watched.logged(lambda: decide(desk, watched.number, "send_back"))
    assert watched.shown(text) == logged == set(groups("desk.matter"))


def test_every_group_of_a_screen_may_be_noted() -> None:
    for screen in SCREENS:
        assert {look_group(named) for named in groups(screen)} <= LOOKS
    with pytest.raises(KeyError):
        look_group("blood-group")
