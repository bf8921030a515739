"""The pictures that come with an entry: the same laboratory as for citizens' photos."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from casework.context import Context
from casework.imaging import SMALLEST_SIDE
from casework.photos import Prepared, Spool
from rules.enrolments import PORTRAIT
from rules.matter import Photo

Pictures = Mapping[str, Spool]
"""Material -> the upload received for it."""
NOTHING: Pictures = {}


@dataclass(frozen=True)
class Kept:
    """A picture stored for a matter that does not name it yet, as its event will."""

    id: str
    thumbnail: str
    data: Mapping[str, Any]


def uploads(portrait: Spool | None, papers: Pictures) -> Pictures:
    """The portrait, where there is one, with the pictures of the optional materials."""
    return {**papers, PORTRAIT: portrait} if portrait is not None else dict(papers)


def sources(pictures: Pictures) -> dict[str, str]:
    """The digest of each upload: the same file again is known without being worked on. Kept in
    sealed data only."""
    return {material: spool.digest for material, spool in pictures.items()}


async def prepare(ctx: Context, pictures: Pictures) -> dict[str, Prepared]:
    """Each picture clean and bounded. Raises the photo-… refusals."""
    # A portrait has a face and no small print: those of photo studios are small.
    least = {PORTRAIT: int(ctx.figure("student.portrait_pixels"))}
    return {
        material: await ctx.lab.prepare(spool, least.get(material, SMALLEST_SIDE))
        for material, spool in pictures.items()
    }


async def keep(
    ctx: Context, number: str, prepared: Mapping[str, Prepared], digests: Mapping[str, str]
) -> dict[str, Kept]:
    """Store pictures for a matter; what no matter names is swept after a day."""
    kept: dict[str, Kept] = {}
    for material, picture in prepared.items():
        photo_id, thumbnail = await ctx.stores.photos.keep(picture, number, ctx.now())
        data = {
            "id": photo_id,
            "material": material,
            "media_type": picture.media_type,
            "width": picture.width,
            "height": picture.height,
            "bytes": picture.bytes,
            "thumbnail": thumbnail,
            "checks": list(picture.checks),
            "source": digests[material],
        }
        kept[material] = Kept(photo_id, thumbnail, data)
    return kept


async def settle(ctx: Context, kept: Mapping[str, Kept], named: tuple[Photo, ...]) -> None:
    """Confirm the pictures the matter names, delete those it does not."""
    names = {p.id for p in named}
    for picture in kept.values():
        for one in (picture.id, picture.thumbnail):
            if picture.id in names:
                await ctx.stores.photos.confirm(one)
            else:
                await ctx.stores.photos.delete(one)


async def drop_replaced(ctx: Context, before: tuple[Photo, ...], after: tuple[Photo, ...]) -> None:
    """Delete the pictures a matter names no more."""
    names = {p.id for p in after}
    for photo in before:
        if photo.id not in names:
            await ctx.stores.photos.delete(photo.id)
            await ctx.stores.photos.delete(photo.thumbnail)


async def doubt(ctx: Context, photos: tuple[Photo, ...], materials: set[str]) -> None:
    """Some of these are about to be replaced: were the process to die, the sweep looks."""
    for photo in photos:
        if photo.material in materials:
            await ctx.stores.photos.doubt(photo.id, ctx.now())
            await ctx.stores.photos.doubt(photo.thumbnail, ctx.now())
