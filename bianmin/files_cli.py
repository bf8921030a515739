"""The commands for files, officers and the menu: import, export, officer, menu, demo-registry,
demo-sessions."""

import asyncio
import csv
import json
import os
import secrets
import tempfile
import zipfile
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bianmin.app import open_house
from bianmin.demo.faces import portrait_jpeg
from bianmin.demo.learner import enrol_learner
from bianmin.demo.sessions import publish_sessions
from bianmin.engines import engines
from bianmin.errors import OperatorError
from bianmin.run import LOGINS
from bianmin.settings import Settings
from bianmin.settings_sources import require
from casework import exchange, officers
from casework.context import Context
from casework.import_report import ImportReport
from casework.registry_portraits import import_portraits
from notify.outcome import Taken
from rules.book import load_rulebook
from rules.formats import RowProblem
from rules.menu import load_menu
from rules.refusals import Refusal
from rules.roles import ROLES

PORTRAITS = "portraits"
REGISTRY = Path(__file__).parents[1] / "sandbox" / "registry"
REGISTRY_KINDS = ("offices", "population", "licences", "vehicles", "exam-sites")
DEMO_OFFICERS = (
    ("zhengzhou", "郑民警", "4101V01", "reviewer"),
    ("anyang", "安民警", "4105V01", "reviewer"),
    ("zhengzhou-head", "郑所长", "4101V01", "head"),
    ("anyang-head", "安所长", "4105V01", "head"),
    ("pingan", "平教务", "4101S01", "clerk"),
)
"""User name, name, office and role of who may log in after the first run. The clerk's school is
one of the registry's; further clerks get their logins from the heads."""
DEMO_SITE = "4101K01"
"""One of the registry's exam sites: where it is missing, this is no database of the demo."""
_SHOWN_ERRORS = 20


def in_house(work: Callable[[Context], Awaitable[None]]) -> None:
    """Run ``work`` with the house open on this machine's engines."""
    settings = require()

    async def main() -> None:
        async with engines(settings) as urls, open_house(settings, urls, with_lab=False) as ctx:
            await work(ctx)

    asyncio.run(main())


class _Kinds(click.Command):
    """Its help names every kind of file."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formats = load_rulebook().formats
        rows = [(kind, formats[kind].title) for kind in exchange.IMPORTED]
        with formatter.section("Kinds"):
            formatter.write_dl([*rows, (PORTRAITS, "人像照片（ZIP）")])
        formatter.write_paragraph()
        formatter.write_text("The columns of each kind: docs/files.md.")


@click.command("import", cls=_Kinds)
@click.argument("kind")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_(kind: str, file: Path) -> None:
    """Take in a CSV FILE of one KIND; rows in error are listed and the others taken.

    KIND portraits takes a ZIP with one picture a person, named by the ID number.
    """

    async def work(ctx: Context) -> None:
        report = await _import(ctx, kind, file)
        click.echo(f"{file.name}: {report.rows} rows, {report.accepted} taken")
        if report.errors:
            problems = sorted(report.errors, key=lambda error: error[0])
            bad = file.with_name(f"{file.stem}.errors.csv")
            lines = ["line,column,problem", *(f"{a},{b},{c}" for a, b, c in problems)]
            bad.write_text("\n".join(lines) + "\n", encoding="utf-8")
            for line, column, problem in problems[:_SHOWN_ERRORS]:
                click.echo(f"  line {line}, {column}: {problem}", err=True)
            lost = len({line for line, _, _ in problems})
            raise OperatorError(f"{lost} rows were not taken; all problems are in {bad}")

    in_house(work)


async def _import(ctx: Context, kind: str, file: Path) -> ImportReport:
    portraits = kind == PORTRAITS
    with file.open("rb") as source:
        total = None if portraits else max(sum(1 for _ in source) - 1, 0)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(kind, total=total)
        take = import_portraits if portraits else partial(exchange.import_file, kind=kind)
        try:
            return await take(
                ctx, path=file, progress=lambda done: bar.update(task, completed=done)
            )
        except zipfile.BadZipFile as error:
            raise OperatorError(f"{file} is no ZIP archive") from error
        except exchange.UnknownKind as error:
            known = ", ".join((*exchange.IMPORTED, PORTRAITS))
            raise OperatorError(f"There is no kind {kind}. Known: {known}") from error
        except RowProblem as problem:
            raise OperatorError(f"{file}: {problem.column}: {problem.reason}") from problem


@click.command("export")
@click.argument("kind")
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
def export(kind: str, file: Path) -> None:
    """Write what has not left yet (KIND: decisions) to a CSV FILE."""

    async def work(ctx: Context) -> None:
        with Progress(console=Console(stderr=True)) as bar:
            task = bar.add_task(kind, total=None)
            try:
                count = await exchange.export_file(
                    ctx, kind, file, lambda done: bar.update(task, completed=done)
                )
            except exchange.UnknownKind as error:
                raise OperatorError(f"There is no kind {kind}. Known: decisions") from error
        click.echo(f"{file.name}: {count} rows")

    in_house(work)


@click.group("officer")
def officer() -> None:
    """Officers who may log in at the desk."""


@officer.command("add")
@click.argument("username")
@click.option("--name", required=True, help="Name shown at the desk.")
@click.option("--office", required=True, help="Code of the office.")
@click.option("--role", type=click.Choice(sorted(ROLES)), default="reviewer", show_default=True)
@click.option("--totp/--no-totp", default=True, show_default=True, help="Second factor.")
@click.option("--password", help="Asked for when not given; empty answer: one is made.")
def officer_add(
    username: str, name: str, office: str, role: str, totp: bool, password: str | None
) -> None:
    """Add an officer, or give one a new password and second factor."""
    if password is None:
        password = click.prompt("Password (empty: make one)", hide_input=True, default="")
    chosen = password or secrets.token_urlsafe(12)

    async def work(ctx: Context) -> None:
        try:
            secret = await officers.add_officer(
                ctx,
                username=username,
                name=name,
                role=role,
                office=office,
                password=chosen,
                totp=totp,
                seen=not password,
            )
        except Refusal as refusal:
            raise OperatorError(f"There is no office {office}.") from refusal
        if not password:
            click.echo(f"password: {chosen}")
        if secret:
            click.echo(f"second factor (TOTP): {secret}")

    in_house(work)


@officer.command("list")
def officer_list() -> None:
    """List the officers."""

    async def work(ctx: Context) -> None:
        for record in await ctx.stores.officers.all():
            state = "disabled" if record.disabled else "active"
            factor = "second factor" if record.totp_secret else "password only"
            click.echo(f"{record.username}\t{record.office}\t{record.role}\t{factor}\t{state}")

    in_house(work)


@officer.command("disable")
@click.argument("username")
def officer_disable(username: str) -> None:
    """Keep an officer from logging in; whoever is at the desk is out at the next click."""

    async def work(ctx: Context) -> None:
        if not await ctx.stores.officers.disable(username):
            raise OperatorError(f"There is no officer {username}.")

    in_house(work)


@click.group("menu")
def menu() -> None:
    """The official account's menu (rules/menu.toml)."""


@menu.command("push")
def menu_push() -> None:
    """Set the menu at WeChat."""

    async def work(ctx: Context) -> None:
        outcome = await ctx.gateways.official.push_menu(load_menu(ctx.book.catalogue))
        if not isinstance(outcome, Taken):
            raise OperatorError(f"WeChat did not take the menu: {outcome}")
        click.echo("The menu is set.")

    in_house(work)


@click.command("demo-registry")
def demo_registry() -> None:
    """Fill a development database with the registry and the officers of the demo."""
    settings = require()
    if settings.env == "production":
        raise OperatorError("The demo registry is for development: BIANMIN_ENV is production.")
    in_house(lambda ctx: load_demo_registry(ctx, settings))


@click.command("demo-sessions")
def demo_sessions() -> None:
    """Publish the demo's sessions of tests for the weeks to come, in a development database."""
    if require().env == "production":
        raise OperatorError("The demo sessions are for development: BIANMIN_ENV is production.")

    async def work(ctx: Context) -> None:
        if await ctx.stores.exam_sites.get(DEMO_SITE) is not None:
            click.echo(f"{await publish_sessions(ctx)} sessions published")

    in_house(work)


async def load_demo_registry(ctx: Context, settings: Settings) -> None:
    """Take in the demo's registry files and make its officers with passwords of their own."""
    for kind in REGISTRY_KINDS:
        report = await _import(ctx, kind, REGISTRY / f"{kind}.csv")
        if report.errors:
            raise OperatorError(f"{kind}.csv: {report.errors[0]}")
    await publish_sessions(ctx)
    await _draw_portraits(ctx, settings.data_dir)
    logins = {}
    for username, name, office, role in DEMO_OFFICERS:
        logins[username] = secrets.token_urlsafe(9)
        await officers.add_officer(
            ctx,
            username=username,
            name=name,
            role=role,
            office=office,
            password=logins[username],
            totp=False,
        )
    username, name, *_ = DEMO_OFFICERS[0]
    await enrol_learner(ctx, username, name)
    await asyncio.to_thread(_keep_logins, settings.data_dir / LOGINS, logins)


async def _draw_portraits(ctx: Context, folder: Path) -> None:
    """Give everybody of the population registry a drawn portrait."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        archive = Path(place) / "portraits.zip"
        with (
            zipfile.ZipFile(archive, "w") as target,
            (REGISTRY / "population.csv").open(encoding="utf-8", newline="") as people,
        ):
            for row in csv.DictReader(people):
                number = row["id_number"]
                target.writestr(f"{number}.jpg", await asyncio.to_thread(portrait_jpeg, number))
        report = await _import(ctx, PORTRAITS, archive)
        if report.errors:
            raise OperatorError(f"portraits: {report.errors[0]}")


def _keep_logins(path: Path, logins: dict[str, str]) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(logins, file)


COMMANDS = (import_, export, officer, menu, demo_registry, demo_sessions)
