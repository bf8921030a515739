"""A small town for the desk's tests: offices, officers and citizens with real matters.

Everything is made by ``casework`` on the engines the running service uses, in a thread with a loop
of its own, for the browser's driver occupies the test's.
"""

import asyncio
import csv
import io
import threading
import zipfile
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from datetime import timedelta
from typing import Any, TypeVar

from PIL import Image, ImageDraw

from bianmin.app import open_house
from bianmin.settings import PREFIX, Settings
from casework import exchange, facesign, matters, officers, steps
from casework.context import Context
from casework.officers import Officer
from casework.registry_portraits import import_portraits
from rules.matter import Matter
from rules.people import Citizen, Tier
from tests.support.faces import face
from tests.support.processes import House

HOME_OFFICE, OTHER_OFFICE = "4101-VO", "4106-VO"
SCHOOL, SCHOOL_NAME = "4101-S1", "平安驾校"
NEXT_SCHOOL = "4101-S2"
OFFICE_NAMES = {HOME_OFFICE: "郑州市车辆管理所", OTHER_OFFICE: "鹤壁市车辆管理所"}
PASSWORD = "correct horse battery"
NOTE = "公司派驻国外工程项目"

Result = TypeVar("Result")


class Town:
    """Use as a context manager; the service of ``house`` runs beside it."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._loop = asyncio.new_event_loop()
        self._ready: Future[Context] = Future()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._live, name="town")
        self._people = 0

    def __enter__(self) -> "Town":
        self._thread.start()
        self._ready.result(60)
        self.run(self._found)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)

    def run(self, work: Callable[[Context], Awaitable[Result]]) -> Result:
        """Do something with casework and give its result."""

        async def done() -> Result:
            return await work(self._ready.result())

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result(60)

    def _live(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._until_stopped())

    async def _until_stopped(self) -> None:
        given = {k.removeprefix(PREFIX).lower(): v for k, v in self.house.env.items()}
        known = {k: v for k, v in given.items() if k in Settings.model_fields}
        settings = Settings(_env_file=None, **known)  # type: ignore[arg-type]  # texts, as in .env
        try:
            async with open_house(settings, self.house.urls) as ctx:
                self._ready.set_result(ctx)
                await self._stop.wait()
        except BaseException as error:
            if not self._ready.done():
                self._ready.set_exception(error)
            raise

    async def _found(self, ctx: Context) -> None:
        rows = [
            dict(
                code=code,
                name=name,
                kind="vehicle_office",
                region=code[:4],
                address="人民路1号",
                hours="周一至周五 9:00-17:00",
                phone="12123",
            )
            for code, name in OFFICE_NAMES.items()
        ]
        school = dict(rows[0], name=SCHOOL_NAME, kind="driving_school", supervisor=HOME_OFFICE)
        schools = [dict(school, code=SCHOOL), dict(school, code=NEXT_SCHOOL, name="通达驾校")]
        offices = [{**row, "supervisor": ""} for row in rows]
        await self._import(ctx, "offices", [*offices, *schools])
        await self._add_officer(ctx, "li", HOME_OFFICE, totp=False)
        await self._add_officer(ctx, "zhao", OTHER_OFFICE, totp=False)
        await self._add_officer(ctx, "zhou", HOME_OFFICE, totp=False, role="head")
        await self._add_officer(ctx, "liu", SCHOOL, totp=False, role="clerk")
        await self._add_officer(ctx, "sun", NEXT_SCHOOL, totp=False, role="clerk")

    def add_officer(self, username: str, *, totp: bool = False) -> str | None:
        """An officer of the home office; his second factor's secret if he has one."""
        return self.run(lambda ctx: self._add_officer(ctx, username, HOME_OFFICE, totp))

    async def _add_officer(
        self, ctx: Context, username: str, office: str, totp: bool, role: str = "reviewer"
    ) -> str | None:
        return await officers.add_officer(
            ctx,
            username=username,
            name="李警官",
            role=role,
            office=office,
            password=PASSWORD,
            totp=totp,
        )

    async def _import(self, ctx: Context, kind: str, rows: list[dict[str, Any]]) -> None:
        path = self.house.folder / f"{kind}.csv"
        with path.open("w", encoding="utf-8", newline="") as target:
            writer = csv.DictWriter(target, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        report = await exchange.import_file(ctx, kind, path, lambda rows: None)
        assert (report.accepted, report.errors) == (len(rows), [])

    def licence_holder(self, office: str = HOME_OFFICE) -> str:
        """The ID number of somebody with a licence issued there, not yet face-signed."""
        self._people += 1
        number = id_number(self._people)

        async def work(ctx: Context) -> None:
            today = ctx.today()
            row = dict(
                id_number=number,
                name="王小明",
                phone=f"138000{self._people:05d}",
                number=number,
                vehicle_class="C1",
                status="正常",
                issued_on=today - timedelta(days=2000),
                valid_from=today - timedelta(days=2000),
                valid_until=today + timedelta(days=60),
                issuing_office=office,
                points=3,
            )
            await self._import(ctx, "licences", [row])

        self.run(work)
        return number

    def portrait(self, number: str, name: str = "王小明") -> None:
        """The population registry knows the person, with a portrait."""
        archive = self.house.folder / "portraits.zip"
        with zipfile.ZipFile(archive, "w") as target:
            target.writestr(f"{number}.jpg", face(number))

        async def work(ctx: Context) -> None:
            await self._import(ctx, "population", [{"id_number": number, "name": name}])
            report = await import_portraits(ctx, archive, lambda rows: None)
            assert (report.accepted, report.errors) == (1, [])

        self.run(work)

    def citizen(self) -> Citizen:
        """A face-signed citizen whose licence the home office issued."""
        number = self.licence_holder()

        async def work(ctx: Context) -> Citizen:
            office = await ctx.office(HOME_OFFICE)
            assert office is not None
            phone = f"139000{self._people:05d}"
            officer = Officer("li", "李警官", "reviewer", office)
            await facesign.face_sign(
                ctx, officer, id_number=number, phone=phone, cause="town", proved=True
            )
            key = ctx.stores.vault.id_key(number)
            return Citizen(key, number, "王小明", phone, frozenset({Tier.FACE_SIGNED}))

        return self.run(work)

    def submitted(self, note: str = NOTE) -> tuple[Citizen, str]:
        """A citizen and the number of his submitted deferral, two photos with it."""
        citizen = self.citizen()

        async def work(ctx: Context) -> str:
            view = await matters.open_draft(ctx, citizen, "licence-deferral", "draft", "mini")
            until = (ctx.today() + timedelta(days=400)).isoformat()
            values = {"reason": "出国（境）", "until": until, "note": note}
            await matters.fill(ctx, citizen, view.number, values, "fill")
            for material in ("id_card", "reason_proof"):
                async with ctx.lab.spool() as spool:
                    await spool.write(picture())
                    await matters.attach(ctx, citizen, view.number, material, spool, material)
            await matters.submit(ctx, citizen, view.number, "submit")
            return view.number

        return citizen, self.run(work)

    def matter(self, number: str) -> Matter:
        """A matter as it is now."""

        async def work(ctx: Context) -> Matter:
            return (await steps.load(ctx, number)).matter

        return self.run(work)


def id_number(order: int) -> str:
    """A valid ID number of somebody born in 1990 (GB 11643: ISO 7064 mod 11-2)."""
    body = f"41010519900101{order:03d}"
    weights = [pow(2, 17 - i, 11) for i in range(17)]
    total = sum(w * int(c) for w, c in zip(weights, body, strict=True))
    return body + "10X98765432"[total % 11]


def picture() -> bytes:
    """A JPEG with lines enough to be sharp."""
    image = Image.new("RGB", (1200, 800), "#dde3e8")
    draw = ImageDraw.Draw(image)
    for y in range(40, 780, 24):
        draw.text((60, y), "IDENTITY CARD 0123456789 " * 6, fill="#223344")
    buffer = io.BytesIO()
    image.save(buffer, "JPEG")
    return buffer.getvalue()
