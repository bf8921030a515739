"""Sessions page by page: found once, so that a number means the same session when it is answered;
read afresh whenever they are shown."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from bot.exams.reading import day_in, site_in
from bot.scene import Move, Scene
from casework.exams import listing
from casework.exams.sites import sites
from casework.exams.views import PlanPage, PlanView

FREE, FULL, ALL = "free", "full", "all"
MORE = ("更多", "看更多", "下一页", "还有吗")
"""What asks for the next page."""
_PAGE = 6
_SHORTEST = 2
_AHEAD = timedelta(days=90)
_SITES, _TRIES = 100, 3


async def found(scene: Scene, search: Mapping[str, Any], after: str = "") -> dict[str, Any]:
    """The next page of a search, as answers: ``codes`` of sessions and ``next``, the cursor.

    ``search``: office, subject, vehicle_class (empty for any), since (a day), and perhaps ``day``,
    ``site`` and ``only`` (free, full, all).
    """
    page = await _read(scene, search, _PAGE, search.get("only", FREE), after)
    for _ in range(_TRIES):
        if page.plans or not page.next:
            break
        page = await _read(scene, search, _PAGE, search.get("only", FREE), page.next)
    return {**search, "codes": [p.code for p in page.plans], "next": page.next or ""}


async def _read(
    scene: Scene, search: Mapping[str, Any], limit: int, only: str, after: str = ""
) -> PlanPage:
    day = date.fromisoformat(search["day"]) if search.get("day") else None
    since = day or max(date.fromisoformat(search["since"]), scene.ctx.today())
    return await listing.plans(
        scene.ctx,
        office=search["office"],
        site=search.get("site", ""),
        subject=search["subject"],
        vehicle_class=search.get("vehicle_class", ""),
        since=since,
        until=day or since + _AHEAD,
        free=only == FREE,
        full=only == FULL,
        after=after,
        limit=limit,
    )


async def following(scene: Scene, question: str) -> Move:
    """The page after the one in hand, as another turn of its question; or that there is none."""
    after = scene.answers["next"]
    page = await found(scene, scene.answers, after) if after else {"codes": []}
    return Move(question, page) if page["codes"] else scene.stay(scene.say("exam_no_more"))


async def shown(scene: Scene) -> list[PlanView]:
    """The sessions of the page in hand, as they are now."""
    return [await listing.plan(scene.ctx, code) for code in scene.answers["codes"]]


async def narrowed(scene: Scene, search: Mapping[str, Any]) -> dict[str, Any] | None:
    """The search narrowed to the day or the site that was said; None when neither was."""
    day = day_in(scene.text, scene.ctx.today())
    if day is not None:
        return {**search, "day": day.isoformat()}
    if len(scene.text) < _SHORTEST:
        return None
    page = await _read(scene, {**search, "day": "", "site": ""}, _SITES, ALL)
    known = {(s.code, s.name) for s in await sites(scene.ctx, search["office"])}
    site = site_in(scene.text, known | {(p.site, p.site_name) for p in page.plans})
    return {**search, "site": site} if site else None
