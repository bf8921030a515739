"""Putting right what an officer sent back."""

from collections.abc import Mapping

from casework import steps
from casework.access_log import record_look
from casework.context import Context
from casework.enrolments import pictures, schools
from casework.enrolments.outcome import Enrolled
from casework.facts import account_phone, known_names
from casework.officers import Officer
from casework.photos import Spool
from rules.matter import Matter
from rules.refusals import Refusal


async def amend(
    ctx: Context,
    clerk: Officer,
    number: str,
    version: int,
    entry: Mapping[str, str],
    portrait: Spool | None,
    cause: str,
    papers: Mapping[str, Spool] = pictures.NOTHING,
) -> Enrolled:
    """Put right what the officer named, in place; it is under review again at once.

    ``entry`` may hold the named parts only. Raises part-not-open, correction-incomplete,
    stale-version, not-found, and what ``enrol`` raises.
    """
    matter = (await schools.own(ctx, clerk, number)).matter
    if matter.event_of(cause) is not None:
        return Enrolled(number, matter.state, False)
    if matter.version != version:
        raise Refusal("stale-version")
    return await put_right(ctx, clerk, matter, entry, pictures.uploads(portrait, papers), cause)


async def put_right(
    ctx: Context,
    clerk: Officer,
    matter: Matter,
    values: Mapping[str, str],
    uploads: pictures.Pictures,
    cause: str,
) -> Enrolled:
    """The step itself: new pictures are stored before the matter names them, and those it names no
    more are deleted after."""
    await record_look(ctx, clerk, "amend", matter.subject, matter.number, ["form"])
    digests = pictures.sources(uploads)
    known = {(p.material, p.source) for p in matter.photos}
    fresh = {m: spool for m, spool in uploads.items() if (m, digests[m]) not in known}
    kept = await pictures.keep(ctx, matter.number, await pictures.prepare(ctx, fresh), digests)
    photos = {m: kept[m].data if m in kept else {"source": digests[m]} for m in uploads}
    given = {
        "values": values,
        "photos": photos,
        "names": await known_names(ctx, matter.subject),
        "account_phone": await account_phone(ctx, matter.subject),
    }
    await pictures.doubt(ctx, matter.photos, set(kept))
    after = matter
    try:
        after = await steps.take(
            ctx, matter.number, "amend", clerk.actor, cause, given, seen=matter.version
        )
    finally:
        await pictures.settle(ctx, kept, after.photos)
    await pictures.drop_replaced(ctx, matter.photos, after.photos)
    return Enrolled(after.number, after.state, True)
