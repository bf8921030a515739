"""`bianmin keys`: new data keys and a new master key on live data, a new index key offline."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bianmin.app import checkpoint_of, open_house
from bianmin.engines import engines
from bianmin.errors import OperatorError
from bianmin.settings import Settings, decode_key
from bianmin.settings_sources import require
from storage.reindex import Keys, Reindexing
from storage.rotation import READERS, Rotated, Rotation, StillInUse
from storage.stores import database_alone, real_time
from storage.vault import VaultError


@click.group("keys")
def keys() -> None:
    """Change the keys personal data is sealed and found with (deploy/README.md)."""


@keys.command("rotate")
@click.option("--master", is_flag=True, help="Wrap the data keys under BIANMIN_NEW_MASTER_KEY too.")
@click.option("--retire", is_flag=True, help="Destroy older data keys and the former wrapping.")
@click.option(
    "--readers",
    type=click.FloatRange(0),
    default=READERS.total_seconds(),
    show_default=True,
    help="Seconds that pictures' former pieces stay for who is reading them.",
)
def rotate(master: bool, retire: bool, readers: float) -> None:
    """Seal everything under a new data key while the service runs; again after a break-off."""
    if master and retire:
        raise OperatorError("--master and --retire are steps of their own: first one, then start")
    settings = require()
    new_master = settings.new_master_key
    if master and not new_master.get_secret_value():
        raise OperatorError(
            "BIANMIN_NEW_MASTER_KEY is not set. Make one with: openssl rand -base64 32"
        )

    async def work(rotation: Rotation) -> None:
        if master:
            count = await rotation.rewrap(decode_key(new_master))
            click.echo(f"{count} data keys were wrapped under the new master key as well.")
            click.echo(
                "Now set BIANMIN_MASTER_KEY to it everywhere, start every process again, and run"
                " `bianmin keys rotate --retire`."
            )
        elif retire:
            gone = await rotation.retire()
            names = ", ".join(str(n) for n in gone)
            click.echo(f"Destroyed: data key {names}." if gone else "There is no older data key.")
        else:
            _show(await rotation.rotate())

    asyncio.run(_rotating(settings, work, timedelta(seconds=readers)))


@keys.command("reindex")
@click.option(
    "--forget-unknown", is_flag=True, help="Delete rows of which nothing tells whose they are."
)
def reindex(forget_unknown: bool) -> None:
    """Find everybody by BIANMIN_NEW_INDEX_KEY from now on; stop service and workers first."""
    settings = require()
    new_index = settings.new_index_key
    if not new_index.get_secret_value():
        raise OperatorError(
            "BIANMIN_NEW_INDEX_KEY is not set. Make one with: openssl rand -base64 32"
        )
    wanted = Keys(settings.master_key_bytes(), settings.index_key_bytes(), decode_key(new_index))

    async def main() -> None:
        with _bars() as progress:
            async with (
                engines(settings) as urls,
                database_alone(urls.mongo_url, settings.mongo_database) as database,
            ):
                done = await Reindexing(
                    database,
                    wanted,
                    (settings.wechat_appid, settings.mini_appid),
                    real_time,
                    tell=lambda line: click.echo(line, err=True),
                    progress=progress,
                    checkpoint=checkpoint_of(settings),
                ).run(forget_unknown=forget_unknown)
        for name, count in done.moved.items():
            click.echo(f"{name}: {count} documents")
        if done.faults:
            click.echo(f"access log: {done.faults} entries were at fault before, and still are")
        click.echo("Now set BIANMIN_INDEX_KEY to the new key everywhere, then start again.")

    try:
        asyncio.run(main())
    except (StillInUse, VaultError) as error:
        raise OperatorError(str(error)) from error


async def _rotating(
    settings: Settings, work: Callable[[Rotation], Awaitable[None]], readers: timedelta
) -> None:
    with _bars() as progress:
        try:
            async with _rotation(settings, progress, readers) as rotation:
                await work(rotation)
        except (StillInUse, VaultError) as error:
            raise OperatorError(str(error)) from error


@asynccontextmanager
async def _rotation(
    settings: Settings, progress: Callable[[str, int, int], None], readers: timedelta
) -> AsyncIterator[Rotation]:
    async with (
        engines(settings) as urls,
        open_house(settings, urls, with_lab=False, kind="keys") as ctx,
    ):
        yield Rotation(
            ctx.stores,
            real_time,
            tell=lambda line: click.echo(line, err=True),
            progress=progress,
            checkpoint=checkpoint_of(settings),
            readers=readers,
        )


@contextmanager
def _bars() -> Iterator[Callable[[str, int, int], None]]:
    """One bar a collection; the same one again when it is passed over once more."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks = {}

        def progress(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name)
            bars.update(tasks[name], completed=done, total=max(total, done))

        yield progress


def _show(rotated: Rotated) -> None:
    table = Table("collection", "sealed anew", "values", "under older keys", "do not open")
    for name, count in rotated.left.items():
        done = rotated.resealed.get(name, 0)
        table.add_row(name, str(done), str(count.values), str(count.older), str(count.broken))
    console = Console()
    console.print(table)
    console.print(f"Data key {rotated.number} seals now.")
    examples = [e for count in rotated.left.values() for e in count.examples]
    if examples:
        console.print("These do not open: " + ", ".join(examples), markup=False)
    if any(count.older or count.broken for count in rotated.left.values()):
        console.print(
            "Something is left under older keys: run this again later (unfinished uploads"
            " are swept after a day)."
        )
    else:
        console.print(
            "Nothing is left under older keys: `bianmin keys rotate --retire` may follow."
        )
