"""The town benches run in: engines, a service process, the floors, and citizens with matters."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bianmin.app import open_house
from bianmin.demo.pictures import id_card_jpeg, proof_png
from bianmin.settings import Settings
from casework import accounts, matters, wechat_bindings
from casework.context import Context
from casework.wechat_identity import WechatIdentity
from rules.people import Citizen, Tier
from storage.session_documents import NewSession
from tests.support.engines import engine_process
from tests.support.processes import House


@dataclass
class Town:
    """What a bench needs: the house's verbs for preparing, and the processes that are measured."""

    folder: Path
    ctx: Context
    house: House
    settings: Settings

    async def citizen(self, number: int) -> Citizen:
        """A face-signed citizen with a licence; the same number gives the same one."""
        stores, now = self.ctx.stores, self.ctx.now()
        id_number = _id_number(number)
        key = stores.vault.id_key(id_number)
        licence = {
            "id_number": id_number,
            "name": "李测试",
            "phone": f"139{number:08d}",
            "number": id_number,
            "vehicle_class": "C1",
            "status": "正常",
            "issued_on": "2015-01-01",
            "valid_from": "2021-01-01",
            "valid_until": str(self.ctx.today().replace(month=12, day=28)),
            "issuing_office": "4101V01",
            "points": 0,
        }
        await stores.registry.upsert_licences([licence])
        new = NewSession(key, id_number, "李测试", f"139{number:08d}", now, f"bench-{number}")
        await stores.sessions.create(new)
        await stores.sessions.grant_tier(
            key, Tier.FACE_SIGNED, f"bench-{number}", since=now, office="4101V01",
            phone=new.phone, licence=id_number, licence_office="4101V01",
        )  # fmt: skip
        session = await stores.sessions.get(key)
        if session is None:
            raise RuntimeError("the citizen was not kept")
        return session.citizen(self.ctx.today())

    async def follower(self, number: int) -> str:
        """The openid of a citizen who follows the official account."""
        citizen = await self.citizen(number)
        openid = f"bench-{number}-openid"
        await wechat_bindings.bind(self.ctx, citizen.key, WechatIdentity("official", openid))
        return openid

    async def token(self, citizen: Citizen) -> str:
        """A bearer token."""
        return (await accounts.open_session(self.ctx, citizen, "mini", "bench")).token

    async def submitted(self, citizen: Citizen) -> str:
        """A submitted deferral with two photos: its number."""
        view = await matters.open_draft(self.ctx, citizen, "licence-deferral", "b-open", "mini")
        until = self.ctx.today().replace(year=self.ctx.today().year + 2, day=1).isoformat()
        await matters.fill(
            self.ctx, citizen, view.number, {"reason": "abroad", "until": until}, "b-fill"
        )
        for material, picture in (("id_card", id_card_jpeg()), ("reason_proof", proof_png())):
            async with self.ctx.lab.spool() as spool:
                await spool.write(picture)
                await spool.done()
                await matters.attach(
                    self.ctx, citizen, view.number, material, spool, f"b-{material}"
                )
        await matters.submit(self.ctx, citizen, view.number, "b-submit")
        return view.number


def _id_number(number: int) -> str:
    from_1950 = 19500101 + (number // 500) % 28
    body = f"410105{from_1950}{number % 500 * 2 + 1:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(d) * w for d, w in zip(body, weights, strict=True))
    return body + "10X98765432"[total % 11]


@asynccontextmanager
async def town(folder: Path) -> AsyncIterator[Town]:
    """Start engines and one service process in a folder; stop them at the end."""
    (folder / "engines").mkdir()
    with (
        engine_process(folder / "engines") as engine,
        House(folder, engine.urls, "bench") as house,
    ):
        await asyncio.to_thread(house.start_service)
        settings = settings_of(house)
        async with open_house(settings, engine.urls) as ctx:
            await _offices(ctx)
            yield Town(folder, ctx, house, settings)


def settings_of(house: House) -> Settings:
    """The service's own settings; the environment is left as it was for the next town."""
    before = dict(os.environ)
    os.environ.update(house.env)
    try:
        return Settings(_env_file=None)  # type: ignore[call-arg]  # pydantic-settings' own
    finally:
        os.environ.clear()
        os.environ.update(before)


async def _offices(ctx: Context) -> None:
    office = {"code": "4101V01", "name": "郑州市公安局车辆管理所", "kind": "vehicle_office"}
    office |= {"region": "4101", "address": "示范路1号", "hours": "工作日", "phone": "0370-5550101"}
    await ctx.stores.registry.upsert_offices([office])


@asynccontextmanager
async def floors(here: Town, number: str, guide: bytes, matter: bytes) -> AsyncIterator[int]:
    """The bare handlers in a process of their own: their port."""
    (here.folder / "guide").write_bytes(guide)
    (here.folder / "matter").write_bytes(matter)
    env = {
        **os.environ,
        **here.house.env,
        "FLOOR_FOLDER": str(here.folder),
        "FLOOR_MONGO": here.house.urls.mongo_url,
        "FLOOR_DATABASE": "bench",
        "FLOOR_NUMBER": number,
        "BIANMIN_WECHAT_APPID": here.settings.wechat_appid,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.floors", env=env, stdout=asyncio.subprocess.PIPE
    )
    if process.stdout is None:
        raise RuntimeError("the floors have no output")
    try:
        yield int(await process.stdout.readline())
    finally:
        process.terminate()
        await process.wait()


def pss(pid: int) -> int:
    """Proportional set size in bytes of a process and all below it."""
    root = psutil.Process(pid)
    total = 0
    for process in (root, *root.children(recursive=True)):
        try:
            total += int(process.memory_full_info().pss)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue  # ended between listing and asking
    return total
