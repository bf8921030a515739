"""`bianmin doctor`: every setting with its origin, and whether what is set can work."""

from rich.console import Console
from rich.table import Table

from bianmin.engines import engines
from bianmin.errors import EngineError
from bianmin.settings import Settings, is_secret, variable
from bianmin.settings_sources import Loaded, problems
from storage.engines import mongo, redis


async def examine(loaded: Loaded, console: Console) -> int:
    """Print what is found; 0 when all is well, 1 when something must be mended."""
    settings = loaded.settings
    console.print(_table(loaded))
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
        except EngineError as error:
            found.append(str(error))
    for line in found:
        console.print(f"WRONG: {line}", markup=False, style="red")
    if not found:
        console.print(f"All is well for {settings.env}.", style="green")
    return 1 if found else 0


def _table(loaded: Loaded) -> Table:
    table = Table(box=None)
    for title in ("Setting", "Value", "From"):
        table.add_column(title, no_wrap=True)
    table.add_column("What it is")
    for name, field in Settings.model_fields.items():
        value = getattr(loaded.settings, name)
        if is_secret(name):
            shown = "(set)" if value.get_secret_value() else ""
        else:
            shown = "" if value is None else str(value)
        table.add_row(variable(name), shown, loaded.origins[name], field.description or "")
    return table
