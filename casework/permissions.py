"""What a citizen may look up, by the table of ``rules.permissions``."""

from casework.context import Context
from casework.offices import with_offices
from rules.facts import Facts
from rules.permissions import tier_refusal


async def must(ctx: Context, facts: Facts, business: str, what: str) -> None:
    """Raise not-allowed-tier for ``what``, with the offices that can help, unless the person the
    facts are about may do this business."""
    refusal = tier_refusal(facts.tiers, business, what, ctx.book.texts)
    if refusal is not None:
        raise await with_offices(ctx, refusal, facts)
