"""`bianmin doctor`: every setting with its origin, and whether what is set can work."""

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from bianmin.engines import engines
from bianmin.errors import EngineError
from bianmin.settings import Settings, is_secret, variable
from bianmin.settings_sources import Loaded, problems
from storage.engines import mongo, redis
from storage.key_census import Glance, glance
from storage.stores import database_alone

_WIDE = 120
"""Columns of a screen that hold all that is known of a setting on one line."""


async def examine(loaded: Loaded, console: Console) -> int:
    """Print what is found; 0 when all is well, 1 when something must be mended."""
    settings = loaded.settings
    _show(loaded, console)
    found = problems(settings)
    # An embedded engine in production is named above and not started for a look.
    if not found:
        try:
            async with engines(settings) as urls:
                kind = "embedded" if not settings.mongo_url.get_secret_value() else "by URL"
                answer = await mongo.ping(urls.mongo_url)
                console.print(f"MongoDB protocol ({kind}): answers, says version {answer}")
                kind = "embedded" if not settings.redis_url.get_secret_value() else "by URL"
                console.print(
                    f"Redis protocol ({kind}): {await redis.ping(urls.redis_url)} answers"
                )
                async with database_alone(urls.mongo_url, settings.mongo_database) as database:
                    for line in _keys(await glance(database)):
                        console.print(line, markup=False, highlight=False)
        except EngineError as error:
            found.append(str(error))
    for line in found:
        console.print(f"WRONG: {line}", markup=False, style="red")
    if not found:
        console.print(f"All is well for {settings.env}.", style="green")
    return 1 if found else 0


def _keys(seen: Glance | None) -> list[str]:
    """Which data keys there are, and whether something is left to do with them."""
    if seen is None:
        return ["Data keys: none yet; the first start makes one."]
    numbers = ", ".join(str(n) for n in seen.numbers)
    lines = [f"Data keys: {numbers}; number {seen.sealing} seals."]
    lines.append(
        f"Under older keys: {seen.older} of the {seen.looked_at} sealed values looked at, the first"
        " of each collection."
    )
    if seen.two_masters:
        lines.append("The master key is being changed: finish with `bianmin keys rotate --retire`.")
    if seen.rotation is None:
        lines.append("Last rotation: never.")
    elif seen.rotation["phase"] != "done":
        lines.append("Last rotation: broken off; finish it with `bianmin keys rotate`.")
    else:
        left = sum(c["older"] + c["broken"] for c in seen.rotation["left"].values())
        ended = seen.rotation["finished_at"]
        lines.append(f"Last rotation: {ended:%Y-%m-%d %H:%M} UTC, {left} values left behind.")
    return lines


def _show(loaded: Loaded, console: Console) -> None:
    """One line a setting; what it is stands below it where the screen is narrow."""
    narrow = console.width < _WIDE
    table = Table(box=None)
    for title in ("Setting", "Value", "From"):
        table.add_column(title, no_wrap=True)
    if not narrow:
        table.add_column("What it is")
    for name, field in Settings.model_fields.items():
        value = getattr(loaded.settings, name)
        if is_secret(name):
            shown = "(set)" if value.get_secret_value() else ""
        else:
            shown = "" if value is None else str(value)
        cells = (variable(name), shown, loaded.origins[name])
        about = field.description or ""
        if narrow:
            console.print("  ".join(cell for cell in cells if cell), soft_wrap=True, markup=False)
            console.print(Padding(about, (0, 0, 0, 4)), style="dim")
        else:
            table.add_row(*cells, about)
    if not narrow:
        console.print(table)
