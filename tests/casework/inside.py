"""A house from inside: verbs called directly, on the engines of the run, without any process."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

from bianmin.app import open_house
from bianmin.settings import Settings
from bianmin.settings_sources import GENERATED
from casework import facesign, matters
from casework.context import Context
from casework.officers import Officer
from casework.turns import Incoming, Talk, Turn
from rules.people import Citizen, Tier
from storage.engines import EngineUrls
from tests.desk.town import id_number, picture

OFFICE, OTHER = "4101-VO", "4106-VO"
NAMES = {OFFICE: "郑州市车辆管理所", OTHER: "鹤壁市车辆管理所"}
SERVICE = "licence-deferral"


class Clock:
    """The house's clock, put forward by the test."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return self._now() + self.ahead


@asynccontextmanager
async def house(
    urls: EngineUrls, database: str, folder: Path, **values: object
) -> AsyncIterator[Context]:
    """One process' view; gateways lead nowhere unless ``values`` say otherwise."""
    settings = settings_of(database, folder, **values)
    async with open_house(settings, urls, with_lab=False) as ctx:
        yield replace(ctx, clock=Clock(ctx.clock))


def settings_of(database: str, folder: Path, **values: object) -> Settings:
    """Settings with secrets of their own, the same ones for one folder."""
    given: dict[str, object] = {
        "data_dir": folder,
        "mongo_database": database,
        "wechat_api": "http://127.0.0.1:9",
        "aliyun_sms_endpoint": "http://127.0.0.1:9",
        **{name: _secret(folder, name) for name in GENERATED},
        **values,
    }
    return Settings(_env_file=None, **given)  # type: ignore[arg-type]  # any field


def _secret(folder: Path, name: str) -> str:
    kept = folder / name
    if not kept.exists():
        kept.write_text(GENERATED[name]())
    return kept.read_text()


async def officer(ctx: Context, code: str = OFFICE) -> Officer:
    """An officer of an office, which is entered in the registry."""
    rows = [
        {
            "code": one,
            "name": name,
            "kind": "vehicle_office",
            "region": one[:4],
            "address": "人民路1号",
            "hours": "周一至周五 9:00-17:00",
            "phone": "12123",
        }
        for one, name in NAMES.items()
    ]
    await ctx.stores.registry.upsert_offices(rows)
    office = await ctx.office(code)
    assert office is not None
    return Officer(f"officer-{code}", "李警官", "reviewer", office)


async def licence_holder(ctx: Context, order: int, office: str = OFFICE) -> str:
    """The ID number of somebody with a licence that ends in two months."""
    today: date = ctx.today()
    number = id_number(order)
    await ctx.stores.registry.upsert_licences(
        [
            {
                "id_number": number,
                "name": "王小明",
                "phone": f"139000{order:05d}",
                "number": number,
                "vehicle_class": "C1",
                "status": "正常",
                "issued_on": today - timedelta(days=2000),
                "valid_from": today - timedelta(days=2000),
                "valid_until": today + timedelta(days=60),
                "issuing_office": office,
                "points": 3,
            }
        ]
    )
    return number


async def citizen(ctx: Context, order: int) -> Citizen:
    """A face-signed licence holder."""
    number, phone = await licence_holder(ctx, order), f"139000{order:05d}"
    await facesign.face_sign(ctx, await officer(ctx), id_number=number, phone=phone, cause="inside")
    key = ctx.stores.vault.id_key(number)
    return Citizen(key, number, "王小明", phone, frozenset({Tier.FACE_SIGNED}))


async def draft(ctx: Context, who: Citizen, cause: str = "draft") -> str:
    """A draft of the deferral service; its number."""
    return (await matters.open_draft(ctx, who, SERVICE, cause, "mini")).number


async def submitted(ctx: Context, who: Citizen) -> str:
    """A submitted deferral with its two pictures; its number."""
    number = await draft(ctx, who)
    until = (ctx.today() + timedelta(days=400)).isoformat()
    await matters.fill(ctx, who, number, {"reason": "出国（境）", "until": until}, "fill")
    for material in ("id_card", "reason_proof"):
        async with ctx.lab.spool() as spool:
            await spool.write(picture())
            await matters.attach(ctx, who, number, material, spool, material)
    await matters.submit(ctx, who, number, "submit")
    return number


async def silent(ctx: Context, who: Citizen | None, talk: Talk, incoming: Incoming) -> Turn:
    """A conversation that says nothing."""
    return Turn("")
