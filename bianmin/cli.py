"""The command line. `serve`, `worker` and `demo` load the service only when they run."""

import asyncio
import importlib
import json
import os
import sys
from collections.abc import Awaitable, Callable
from importlib.metadata import version as installed_version

import click
import uvloop
from rich.console import Console

from bianmin import doctor as doctor_module
from bianmin.engines import engines
from bianmin.errors import OperatorError
from bianmin.files_cli import COMMANDS as FILE_COMMANDS
from bianmin.keys_cli import keys
from bianmin.privacy_cli import COMMANDS as PRIVACY_COMMANDS
from bianmin.run import plan
from bianmin.run import run as run_everything
from bianmin.settings import Settings
from bianmin.settings_sources import load, require
from rules.book import load_rulebook
from storage.engines import EngineUrls
from storage.stores import StorageUnavailable
from storage.vault import VaultError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def commands() -> None:
    """Bianmin: public services in WeChat. Settings come from the environment or .env."""


@commands.command()
def serve() -> None:
    """Serve HTTP: WeChat's callback, mini-program API, officers' desk, public pages."""
    _with_engines(importlib.import_module("bianmin.app").serve)


@commands.command()
def worker() -> None:
    """Deliver notices and sweep; runs beside the service."""
    _with_engines(importlib.import_module("bianmin.app").work)


@commands.command()
@click.option("--port", type=int, help="Port to listen on; default BIANMIN_SANDBOX_PORT.")
def sandbox(port: int | None) -> None:
    """Play WeChat, the SMS gateway and a citizen's phone; development only."""
    settings = require()
    if settings.env == "production":
        raise OperatorError("The sandbox is for development: BIANMIN_ENV is production.")
    made = plan(settings, EngineUrls("", ""))
    command = (sys.executable, "-m", "sandbox", "--port", str(port or settings.sandbox_port))
    os.execve(sys.executable, [*command, "--service", made.service], {**os.environ, **made.env})


@commands.command()
def run() -> None:
    """Start engines, sandbox, service and worker together; Ctrl-C stops all."""
    asyncio.run(run_everything(require(), Console()))


@commands.command()
def demo() -> None:
    """Play the whole story hands-free on free ports in a temporary folder."""
    sys.exit(importlib.import_module("bianmin.demo").main())


@commands.command()
def doctor() -> None:
    """List every setting with its origin, and say whether the engines answer."""
    sys.exit(asyncio.run(doctor_module.examine(load(), Console())))


@commands.command()
def openapi() -> None:
    """Print the OpenAPI 3.1 document of the mini-program API."""
    document = importlib.import_module("miniprogram_api").openapi_document(load_rulebook())
    click.echo(json.dumps(document, ensure_ascii=False, indent=1))


@commands.command()
def version() -> None:
    """Print the version."""
    click.echo(f"bianmin {installed_version('bianmin')}")


# Loaded here for their names only: the house itself is imported when one of them runs.
for _command in (*FILE_COMMANDS, *PRIVACY_COMMANDS, keys):
    commands.add_command(_command)


def _with_engines(work: Callable[[Settings, EngineUrls], Awaitable[None]]) -> None:
    settings = require()

    async def main() -> None:
        async with engines(settings) as urls:
            await work(settings, urls)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def main() -> None:
    """The entry point: expected errors are one message and exit code 1, never a stack trace."""
    try:
        commands()
    except (OperatorError, StorageUnavailable, VaultError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
