"""Officers' looks: each is written down before anything is shown."""

from collections.abc import Sequence
from datetime import UTC

from casework.context import Context
from casework.officers import Officer
from rules.masking import look_group


async def record_look(
    ctx: Context,
    officer: Officer,
    action: str,
    subject: str | None,
    matter: str | None,
    fields: Sequence[str],
) -> None:
    """Write to the access log that an officer is about to see these field groups of this person.

    Raises KeyError for a group ``rules.masking`` does not know.
    """
    for named in fields:
        look_group(named)
    await ctx.stores.access_log.append(
        officer=officer.username,
        office=officer.office.code,
        action=action,
        subject_key=subject,
        matter=matter,
        fields=fields,
        at=ctx.now().astimezone(UTC),
    )
