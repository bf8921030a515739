"""Portraits of the population registry: taken in from an archive, shown to officers, marked.

The archive is a ZIP with one picture a person, named by the ID number (``…1234.jpg``). Pictures are
checked and re-encoded like any upload and sealed; a person has one, the last taken in.
"""

import asyncio
import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path, PurePosixPath

from casework.context import Context
from casework.imaging import PORTRAIT_SIDE
from casework.import_report import ImportReport
from casework.spooling import MAX_BYTES
from rules.id_number import normalise
from rules.refusals import Refusal

_HELD_BY = "registry-portrait/"
"""In place of a matter's number, before the person's key: these pictures are the registry's."""


async def import_portraits(
    ctx: Context, path: Path, progress: Callable[[int], None]
) -> ImportReport:
    """Take in every picture of an archive; the report's lines count its entries.

    Raises OSError, and zipfile.BadZipFile when it is no archive.
    """
    report = ImportReport()
    with await asyncio.to_thread(zipfile.ZipFile, path) as archive:
        for entry in archive.infolist():
            if entry.is_dir():
                continue
            report.rows += 1
            try:
                await _take_in(ctx, archive, entry)
            except Refusal as refusal:
                worded = ctx.book.texts.refusal(refusal)
                report.errors.append((report.rows, "portrait", worded.detail))
            else:
                report.accepted += 1
            progress(report.rows)
    return report


async def _take_in(ctx: Context, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    number = normalise(PurePosixPath(entry.filename).stem, ctx.today())
    if entry.file_size > MAX_BYTES:
        raise Refusal("photo-too-large", megabytes=str(MAX_BYTES // (1024 * 1024)))
    key = ctx.stores.vault.id_key(number)
    if await ctx.stores.registry.population_name(key) is None:
        raise Refusal("not-in-registry")
    async with ctx.lab.spool() as spool:
        await spool.write(await asyncio.to_thread(_read, archive, entry))
        prepared = await ctx.lab.prepare(spool, PORTRAIT_SIDE)
    photos, registry = ctx.stores.photos, ctx.stores.registry
    before = await registry.portrait(key)
    if before is not None:
        # Were the process to die after the change, the sweep would still find it.
        await photos.doubt(before, ctx.now())
    photo = await photos.save(_once(prepared.full), matter=f"{_HELD_BY}{key}", at=ctx.now())
    await registry.set_portrait(key, photo)
    await photos.confirm(photo)
    if before is not None:
        await photos.delete(before)


async def names(ctx: Context, held_by: str, photo_id: str) -> bool | None:
    """Whether the registry names this picture; None when ``held_by`` is a matter's number."""
    if not held_by.startswith(_HELD_BY):
        return None
    return await ctx.stores.registry.portrait(held_by.removeprefix(_HELD_BY)) == photo_id


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    try:
        with archive.open(entry) as picture:
            # No more than the size that was checked, whatever is packed.
            return picture.read(MAX_BYTES)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
        raise Refusal("photo-truncated") from error


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
