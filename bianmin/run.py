"""`bianmin run`: engines, sandbox, service and worker together, until Ctrl-C."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from tornado.httpclient import AsyncHTTPClient

from bianmin.engines import engines
from bianmin.errors import EngineError, OperatorError
from bianmin.settings import Settings, variable
from bianmin.settings_sources import environment
from bianmin.supervisor import Child, Supervisor, tail
from storage.engines import EngineUrls

FIRST_RUN: tuple[tuple[str, ...], ...] = (("demo-registry",),)
"""Commands of `bianmin` run once in a new data folder, before anything serves."""

EVERY_RUN: tuple[tuple[str, ...], ...] = (("demo-sessions",),)
"""Commands run at every start: what the demo shows must not lie in the past."""

LOGINS = "desk-logins.json"
"""Names and passwords of the demo's officers; only where the sandbox plays."""

STEADY_SECONDS = 1.0
"""A worker that lives this long has opened its stores; listening nowhere, it cannot be asked."""


@dataclass(frozen=True)
class Plan:
    """What the children are told: one environment, computed once."""

    settings: Settings
    env: Mapping[str, str]

    @property
    def service(self) -> str:
        """Where the service is reached from this machine."""
        return f"http://{self.settings.host}:{self.settings.port}"

    @property
    def sandbox(self) -> str:
        """Where the sandbox is reached from this machine."""
        return f"http://127.0.0.1:{self.settings.sandbox_port}"

    @property
    def with_sandbox(self) -> bool:
        """Production plays nothing."""
        return self.settings.env == "development"


def plan(settings: Settings, urls: EngineUrls) -> Plan:
    """The environment of every child: these settings, these engines, one clock, the sandbox."""
    env = environment(settings) | {
        variable("mongo_url"): urls.mongo_url,
        variable("redis_url"): urls.redis_url,
        variable("clock_offset_seconds"): repr(settings.clock_offset()),
    }
    made = Plan(settings, env)
    if made.with_sandbox:
        env[variable("wechat_api")] = f"{made.sandbox}/wechat-api"
        env[variable("aliyun_sms_endpoint")] = f"{made.sandbox}/sms/"
    return made


async def run(settings: Settings, console: Console) -> None:
    """Start everything in order, print the addresses, wait for a signal, stop in the other order.

    Raises OperatorError when a port is taken or a child does not start.
    """
    stop = _stop_signals()
    check_ports(settings)

    def tell(line: str) -> None:
        console.print(line, markup=False, highlight=False, style="yellow")

    console.print(f"Starting; data and logs are in {settings.data_dir}", highlight=False)
    async with engines(settings, own=True, tell=tell) as urls:
        made = plan(settings, urls)
        await prepare(made)
        async with Supervisor(tell) as supervisor:
            for child in children(made):
                if stop.is_set():
                    return
                await supervisor.start(child)
            if made.with_sandbox:
                await _command(("menu", "push"), made)
            console.print(addresses(made))
            console.print("Ctrl-C stops everything.")
            await stop.wait()
            console.print("Stopping.")


def children(made: Plan) -> list[Child]:
    """Sandbox, service processes and worker, in the order they start."""
    settings, logs = made.settings, made.settings.data_dir / "log"

    def child(
        name: str, command: Sequence[str], ready: Callable[[], Awaitable[None]], watched: bool
    ) -> Child:
        return Child(
            name=name,
            command=(sys.executable, "-m", *command),
            log=logs / f"{name}.log",
            ready=ready,
            env=made.env,
            check_seconds=5.0 if watched else None,
        )

    def answers(url: str) -> Callable[[], Awaitable[None]]:
        async def ask() -> None:
            await AsyncHTTPClient().fetch(url, connect_timeout=2, request_timeout=5)

        return ask

    async def lives() -> None:
        await asyncio.sleep(STEADY_SECONDS)

    started = []
    if made.with_sandbox:
        journal = settings.data_dir / "sandbox" / "journal.jsonl"
        journal.parent.mkdir(parents=True, exist_ok=True)
        command = (
            *("sandbox", "--port", str(settings.sandbox_port)),
            *("--service", made.service, "--journal", str(journal)),
        )
        started.append(child("sandbox", command, answers(f"{made.sandbox}/phone"), watched=True))
    # With several on one port the answer may be another one's, so it says nothing of a single one.
    alone = settings.processes == 1
    for number in range(1, settings.processes + 1):
        name = "service" if alone else f"service-{number}"
        ready = answers(f"{made.service}/healthz")
        started.append(child(name, ("bianmin", "serve"), ready, watched=alone))
    started.append(child("worker", ("bianmin", "worker"), lives, watched=False))
    return started


async def prepare(made: Plan) -> None:
    """Run the commands a new data folder needs, once, and those of every start. Raises EngineError
    when one fails."""
    if not made.with_sandbox:
        return
    done = made.settings.data_dir / "first-run"
    for command in () if done.exists() else FIRST_RUN:
        await _command(command, made)
    done.touch()
    for command in EVERY_RUN:
        await _command(command, made)


async def _command(command: Sequence[str], made: Plan) -> None:
    log = made.settings.data_dir / "log" / "commands.log"
    code = await asyncio.to_thread(_call, command, made.env, log)
    if code != 0:
        raise EngineError(f"bianmin {' '.join(command)} failed. End of {log}:\n{tail(log)}")


def _call(command: Sequence[str], env: Mapping[str, str], log: Path) -> int:
    with log.open("ab") as output:
        return subprocess.run(
            (sys.executable, "-m", "bianmin", *command),
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
        ).returncode


def check_ports(settings: Settings) -> None:
    """Raise OperatorError naming every port that is taken and the setting that changes it."""
    wanted = [("port", settings.host, settings.port)]
    if settings.env == "development":
        wanted.append(("sandbox_port", "127.0.0.1", settings.sandbox_port))
    taken = []
    for name, host, port in wanted:
        with contextlib.closing(socket.socket()) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                taken.append(
                    f"  {host}:{port} cannot be used ({error.strerror})."
                    " Is bianmin running already?"
                    f" Another port: {variable(name)}=… make run"
                )
    if taken:
        raise OperatorError("\n".join(["Nothing was started:", *taken]))


def addresses(made: Plan) -> Table:
    """What runs where, for the person at the terminal."""
    table = Table(box=None, show_header=False, padding=(0, 2))
    base = made.service
    if made.with_sandbox:
        table.add_row("A citizen's phone (sandbox)", f"{made.sandbox}/phone")
    table.add_row("Officers' desk", f"{base}/desk/")
    table.add_row("Public page", f"{base}/")
    table.add_row("Mini-program API", f"{base}/api/docs")
    logins = made.settings.data_dir / LOGINS
    if logins.exists():
        for name, password in json.loads(logins.read_text()).items():
            table.add_row("Officer's login", f"{name} / {password}")
    table.add_row("Logs", str(made.settings.data_dir / "log"))
    return table


def _stop_signals() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
