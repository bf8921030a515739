"""The commands about personal data: what has been kept long enough, and who looked at what."""

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bianmin.errors import OperatorError
from bianmin.files_cli import in_house
from casework import retention
from casework.context import Context


@click.command("retention")
@click.option("--dry-run", is_flag=True, help="Only count what would be deleted.")
def retention_(dry_run: bool) -> None:
    """Delete what has been kept long enough (rules/parameters/retention.toml), as the worker does
    every day."""

    async def work(ctx: Context) -> None:
        done = await (retention.would(ctx) if dry_run else _with_progress(ctx))
        for name, count in done.items():
            click.echo(f"{name}\t{count}")

    in_house(work)


async def _with_progress(ctx: Context) -> dict[str, int]:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("retention", total=None)

        def tell(name: str, done: int) -> None:
            bar.update(task, description=f"{name}: {done}")

        return dict(await retention.run(ctx, tell))


@click.group("access-log")
def access_log() -> None:
    """Which officer looked at whom."""


@access_log.command("verify")
def access_log_verify() -> None:
    """Check every chain from its first entry, and every anchor against it."""

    async def work(ctx: Context) -> None:
        report = await ctx.stores.access_log.verify()
        click.echo(f"{report.runs} chains, {report.entries} entries")
        for fault in report.faults:
            click.echo(f"  {fault.run}, entry {fault.seq}: {fault.problem}", err=True)
        if report.faults:
            raise OperatorError(f"{len(report.faults)} entries do not fit their chain.")
        click.echo("Every chain is whole.")

    in_house(work)


COMMANDS = (retention_, access_log)
