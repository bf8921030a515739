"""Where to go: the offices of a region."""

from casework.context import Context
from casework.presenting import office_view
from casework.views import OfficeView

_MOST = 3


async def offices(
    ctx: Context, region: str | None = None, kind: str | None = None
) -> list[OfficeView]:
    """The offices of a region and kind, all when neither is given."""
    return [office_view(o) for o in await ctx.stores.registry.offices(region, kind)]


async def named_offices(ctx: Context, kind: str, region: str | None) -> str:
    """The first offices of a region in one sentence, with address, hours and phone.

    The region is the one the citizen named, never one read from his record.
    """
    found = await ctx.stores.registry.offices(region, kind)
    if not found:
        return ctx.book.texts.say("accounts.any_office")
    return "\n".join(
        ctx.book.texts.say(
            "accounts.office", name=o.name, address=o.address, hours=o.hours, phone=o.phone
        )
        for o in found[:_MOST]
    )
