"""A house in which every place that seals something was used, through its doors."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from casework.context import Context
from storage.conversations import Place
from storage.engines import EngineUrls
from storage.sealed_places import unlisted_values
from storage.vault import key_number
from tests.support.citizens import OFFICE, Citizen
from tests.support.processes import House
from tests.support.story import (
    QuickTown,
    asked_for_code,
    decide,
    follow,
    look,
    ready_draft,
    say,
)


@dataclass
class Lived:
    """A house with a service that lives, and who lives in it."""

    house: House
    town: QuickTown
    citizen: Citizen
    chatting: Citizen
    number: str

    def seen(self) -> list[Any]:
        """What the citizen sees of himself, everything opened; the same however it is sealed."""
        me = self.citizen.call("GET", "/me")
        matter = self.citizen.call("GET", f"/matters/{self.number}")
        assert (me.status, matter.status) == (200, 200), (me.body, matter.body)
        view = matter.json()
        pictures = []
        for photo in (p for m in view["materials"] for p in m["photos"]):
            path = f"/matters/{self.number}/photos/{photo['id']}"
            picture = self.citizen.call("GET", path)
            assert picture.status == 200, picture.body
            pictures.append(picture.body)
        assert len(pictures) == 2
        return [me.json(), view["form"], view["timeline"], *pictures]


@contextmanager
def lived(urls: EngineUrls, folder: Path, database: str) -> Iterator[Lived]:
    """Sandbox, service and a story told."""
    folder.mkdir(parents=True, exist_ok=True)
    with House(folder, urls, database) as house:
        house.start_sandbox()
        town = QuickTown(house, 4, valid_until=date.today() + timedelta(days=60))
        house.start_worker()  # which sends the codes
        house.start_service()
        chatting, visitor, citizen = town.somebody(), town.somebody(), town.face_signed()
        asked_for_code(chatting)
        assert "注册成功" in say(chatting, chatting.sms_code())
        say(chatting, "进度")
        follow(visitor)
        say(visitor, "注册")
        say(visitor, visitor.person.id_number)
        town.without_licence(1)
        look(house, lambda ctx: _vehicle_and_late_message(ctx, citizen))
        number = ready_draft(citizen)
        assert citizen.call("POST", f"/matters/{number}/submit").status == 200
        assert decide(town.desk(OFFICE), number, "send_back").status == 200
        yield Lived(house, town, citizen, chatting, number)


async def _vehicle_and_late_message(ctx: Context, citizen: Citizen) -> None:
    """What needs a patient hand to come about through a door."""
    vehicle = {
        "plate": "豫A12345",
        "owner_id_number": citizen.person.id_number,
        "owner_name": citizen.person.name,
        "owner_phone": citizen.person.phone,
        "kind": "小型汽车",
        "registering_office": OFFICE,
        "status": "正常",
    }
    await ctx.stores.registry.upsert_vehicles([vehicle])
    place = Place("sessions", ctx.stores.vault.id_key(citizen.person.id_number))
    far = ctx.now() + timedelta(days=300)
    assert await ctx.stores.conversations.postpone(place, "late-1", {"message_id": "late-1"}, far)


def sealed_under(house: House) -> dict[str, set[int]]:
    """Numbers of the data keys that something in each collection is sealed under."""

    async def read(ctx: Context) -> dict[str, set[int]]:
        found: dict[str, set[int]] = {}
        for name in await ctx.stores.database.list_collection_names():
            async for document in ctx.stores.database[name].find({}):
                assert unlisted_values(name, document) == [], name
                if name == "photos.files":
                    found.setdefault(name, set()).add(document["metadata"]["key"])
                for number in _numbers(document):
                    found.setdefault(name, set()).add(number)
        return {n: v for n, v in found.items() if n not in ("keys", "photos.chunks")}

    return look(house, read)


def _numbers(held: object) -> Iterator[int]:
    if isinstance(held, bytes):
        number = key_number(held)
        if number is not None and 0 < number < 1000:
            yield number
    elif isinstance(held, dict):
        for value in held.values():
            yield from _numbers(value)
    elif isinstance(held, list):
        for value in held:
            yield from _numbers(value)
