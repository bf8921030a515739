"""The exam sites of the vehicle offices, as everybody may see them."""

from casework.context import Context
from casework.exams.showing import subject_label
from casework.exams.views import SiteView
from casework.offices import office_name
from rules.exams.site import Site
from rules.refusals import Refusal


async def sites(ctx: Context, office: str) -> list[SiteView]:
    """The sites of an office, by code; none for an office that has none, or is unknown."""
    return [await _view(ctx, s) for s in await ctx.stores.exam_sites.of_office(office)]


async def site(ctx: Context, code: str) -> SiteView:
    """One site. Raises site-unknown."""
    found = await ctx.stores.exam_sites.get(code)
    if found is None:
        raise Refusal("site-unknown")
    return await _view(ctx, found)


async def _view(ctx: Context, found: Site) -> SiteView:
    return SiteView(
        code=found.code,
        name=found.name,
        office=found.office,
        office_name=await office_name(ctx, found.office, found.office),
        address=found.address,
        phone=found.phone,
        hours=found.hours,
        subjects=[s.value for s in found.subjects],
        subject_labels=[subject_label(ctx, s.value) for s in found.subjects],
        daily_capacity=found.daily_capacity,
        layout=found.layout,
        route=found.route,
        process=found.process,
    )
