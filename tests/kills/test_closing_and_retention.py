"""SIGKILL while an account is closed, and while a matter is deleted: the worker finishes both."""

import http.client
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.error import URLError

from casework.context import Context
from storage.engines import EngineUrls
from tests.kills.houses import KILLED
from tests.support.citizens import Citizen
from tests.support.known_codes import CODE, lay_code
from tests.support.processes import House
from tests.support.story import SERVICE, QuickTown, filled, look
from tests.support.web import fetch

_PATIENCE = 30


def _told(citizen: Citizen) -> int:
    path = f"/sandbox/phones/{citizen.person.phone}/sms"
    inbox = fetch(citizen.house.sandbox_url, "GET", path).json()
    return sum(s["template"] == "SMS_ACCOUNT_CLOSED" for s in inbox)


def test_closing_is_finished_by_the_worker(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    with House(tmp_path, engine_urls, mongo_database) as house:
        house.start_sandbox()
        town = QuickTown(house, 2, valid_until=date.today() + timedelta(days=60))
        house.start_code_sender()
        service = house.start_service(BIANMIN_CRASH_AT="after-closing")
        citizen = town.registered()
        look(house, lambda ctx: lay_code(ctx, "close", citizen.person.id_number))
        try:
            citizen.call("DELETE", "/me", {"sms_code": CODE})
        except (URLError, ConnectionError, http.client.HTTPException):
            assert service.wait() == KILLED
        else:
            raise AssertionError("the service answered")
        assert _told(citizen) == 0
        house.start_service()
        assert citizen.call("GET", "/me").status == 401
        house.start_worker()
        end = time.monotonic() + _PATIENCE
        while _told(citizen) == 0 or look(house, lambda ctx: _owed(ctx, citizen)):
            assert time.monotonic() < end, "the closing was never told"
            time.sleep(0.2)
        assert _told(citizen) == 1
        wish = {"code": citizen.wx_login()}
        assert citizen.call("POST", "/login", wish).json()["code"] == "not-registered"


async def _owed(ctx: Context, citizen: Citizen) -> bool:
    key = ctx.stores.vault.id_key(citizen.person.id_number)
    return await ctx.stores.closings.farewell(key) is not None


def test_a_matter_half_deleted_is_deleted_by_the_next_run(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    with House(tmp_path, engine_urls, mongo_database) as house:
        house.start_sandbox()
        town = QuickTown(house, 2, valid_until=date.today() + timedelta(days=60))
        house.start_code_sender()
        house.start_service()
        citizen = town.face_signed()
        number = str(citizen.call("POST", "/matters", {"service": SERVICE}).json()["number"])
        filled(citizen, number)
        assert citizen.call("DELETE", f"/matters/{number}").status == 200
        look(house, lambda ctx: _age(ctx, number))
        assert house.command("retention", BIANMIN_CRASH_AT="before-matter-deleted").returncode == (
            KILLED
        )
        assert look(house, lambda ctx: _left(ctx, number)) == (1, 0)
        assert house.command("retention").returncode == 0
        assert look(house, lambda ctx: _left(ctx, number)) == (0, 0)


async def _age(ctx: Context, number: str) -> None:
    old = {"updated_at": ctx.now() - timedelta(days=8)}
    await ctx.stores.database["matters"].update_one({"_id": number}, {"$set": old})


async def _left(ctx: Context, number: str) -> tuple[int, int]:
    wanted: dict[str, Any] = {"_id": number}
    matters = await ctx.stores.database["matters"].count_documents(wanted)
    return matters, len(await ctx.stores.photos.of_matter(number))
