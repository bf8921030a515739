"""The population registry's portraits: taken in from an archive, replaced, swept when cut off."""

import zipfile
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from casework.context import Context
from casework.registry_portraits import import_portraits
from casework.sweep import sweep
from storage.engines import EngineUrls
from tests.casework.inside import Clock, house, silent
from tests.desk.town import id_number
from tests.support.faces import face


def archive(folder: Path, **pictures: bytes) -> Path:
    """A ZIP with these pictures, each in a folder."""
    path = folder / "portraits.zip"
    with zipfile.ZipFile(path, "w") as target:
        target.mkdir("2026")
        for name, content in pictures.items():
            target.writestr(f"2026/{name}.jpg", content)
    return path


async def known(ctx: Context, *orders: int) -> None:
    """People of the population registry."""
    rows = [{"id_number": id_number(order), "name": "王小明"} for order in orders]
    await ctx.stores.registry.upsert_population(rows)


async def portrait(ctx: Context, order: int) -> bytes:
    """The stored portrait of a person, empty when there is none."""
    photo = await ctx.stores.registry.portrait(ctx.stores.vault.id_key(id_number(order)))
    if photo is None:
        return b""
    return b"".join([piece async for piece in await ctx.stores.photos.open(photo)])


async def files(ctx: Context) -> int:
    """Pictures stored at all."""
    return await ctx.stores.database["photos.files"].count_documents({})


@pytest.mark.gen_test(timeout=120)
async def test_good_ones_are_taken_and_bad_ones_named_without_their_numbers(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        await known(ctx, 1, 2)
        pictures = {id_number(1): face("one"), id_number(2): b"no picture", "x": face()}
        pictures[id_number(3)] = face("nobody knows him")
        report = await import_portraits(ctx, archive(tmp_path, **pictures), lambda rows: None)
        assert (report.rows, report.accepted) == (4, 1)
        assert [(line, column) for line, column, _ in report.errors] == [
            (2, "portrait"),
            (3, "portrait"),
            (4, "portrait"),
        ]
        assert not any(id_number(n) in str(report.errors) for n in (1, 2, 3))
        assert (await portrait(ctx, 1)).startswith(b"\xff\xd8\xff")
        assert await portrait(ctx, 2) == b"" and await files(ctx) == 1
        stored = await ctx.stores.database["photos.chunks"].find_one({})
        assert stored is not None and not stored["data"].startswith(b"\xff\xd8\xff")


@pytest.mark.gen_test(timeout=120)
async def test_a_newer_portrait_takes_the_place_and_names_stay_with_the_next_import(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        await known(ctx, 1)
        await import_portraits(ctx, archive(tmp_path, **{id_number(1): face("a")}), lambda _: None)
        before = await portrait(ctx, 1)
        await import_portraits(ctx, archive(tmp_path, **{id_number(1): face("b")}), lambda _: None)
        await known(ctx, 1)
        assert await portrait(ctx, 1) not in (before, b"") and await files(ctx) == 1


@pytest.mark.gen_test(timeout=120)
async def test_the_sweep_keeps_what_the_registry_names_and_drops_the_rest(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        assert isinstance(ctx.clock, Clock)
        await known(ctx, 1)
        await import_portraits(ctx, archive(tmp_path, **{id_number(1): face("a")}), lambda _: None)
        key = ctx.stores.vault.id_key(id_number(1))
        named = await ctx.stores.registry.portrait(key)
        assert named is not None
        # As a process leaves them that died before confirming, and before naming.
        await ctx.stores.photos.doubt(named, ctx.now())
        lost = await ctx.stores.photos.save(
            _once(), matter=f"registry-portrait/{key}", at=ctx.now()
        )
        ctx.clock.ahead = timedelta(days=2)
        await sweep(ctx, silent)
        assert await files(ctx) == 1 and await portrait(ctx, 1)
        assert await ctx.stores.photos.unconfirmed(ctx.now(), 10) == []
        assert lost != named


async def _once() -> AsyncIterator[bytes]:
    yield face("lost")
