"""The stage: engines, sandbox, service and worker as real processes in a temporary folder."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from bianmin.demo.people import Wire
from bianmin.engines import engines
from bianmin.run import LOGINS, Plan, children, plan, prepare
from bianmin.settings import variable
from bianmin.settings_sources import environment, load
from bianmin.supervisor import Running, Supervisor


@dataclass
class Stage:
    """What runs, and how the story reaches it."""

    plan: Plan
    service: Wire
    sandbox: Wire
    supervisor: Supervisor
    running: dict[str, Running] = field(default_factory=dict)

    def kill(self, name: str) -> None:
        """SIGKILL one process; its supervisor starts it again."""
        pid = self.running[name].pid
        if pid is None:
            raise RuntimeError(f"{name} is not running")
        # The child's own descendants (the image processes) see their parent die.
        os.kill(pid, signal.SIGKILL)

    async def turn_clock(self, to: datetime) -> None:
        """Let service, worker and commands go on at another time, as BIANMIN_NOW does. The sandbox
        stays in the present: the phones keep what they have."""
        ahead = (to - datetime.now(UTC)).total_seconds()
        env = {**self.plan.env, variable("clock_offset_seconds"): repr(ahead)}
        self.plan = replace(self.plan, env=env)

        async def begin_anew(name: str) -> None:
            await self.running[name].end()
            child = replace(self.running[name].child, env=env)
            self.running[name] = await self.supervisor.start(child)

        await asyncio.gather(begin_anew("service"), begin_anew("worker"))

    def password(self, officer: str) -> str:
        """The password made for a demo officer."""
        logins = json.loads((self.plan.settings.data_dir / LOGINS).read_text())
        return str(logins[officer])

    def command(self, *arguments: str) -> str:
        """Run a command of ``bianmin`` to its end; what it printed. Raises when it fails."""
        done = subprocess.run(
            (sys.executable, "-m", "bianmin", *arguments),
            env={**os.environ, **environment(self.plan.settings), **self.plan.env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"bianmin {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout


@asynccontextmanager
async def stage(console: Console) -> AsyncIterator[Stage]:
    """Start everything on free ports; stop it and remove the folder at the end."""
    with tempfile.TemporaryDirectory(prefix="bianmin-demo-") as folder:
        service_port, sandbox_port = _free_ports(2)
        os.environ.update(
            {
                "BIANMIN_DATA_DIR": folder,
                "BIANMIN_PORT": str(service_port),
                "BIANMIN_SANDBOX_PORT": str(sandbox_port),
            }
        )
        # The story plays in a house of its own, whatever is set on this machine.
        for name in ("BIANMIN_MONGO_URL", "BIANMIN_REDIS_URL", "BIANMIN_ENV", "BIANMIN_PROCESSES"):
            os.environ.pop(name, None)
        settings = load(Path(folder, "no.env")).settings
        lines: list[str] = []
        async with engines(settings, own=True, tell=lines.append) as urls:
            made = plan(settings, urls)
            await prepare(made)
            async with Supervisor(lambda line: console.print(f"  ⚙ {line}", style="yellow")) as up:
                set_up = Stage(made, Wire(made.service), Wire(made.sandbox), up)
                for child in children(made):
                    set_up.running[child.name] = await up.start(child)
                yield set_up


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()
