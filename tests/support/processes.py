"""Real service, worker and sandbox processes for tests, on free ports, with one environment."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from dotenv import dotenv_values

from bianmin.settings_sources import GENERATED, development_secrets
from bianmin.supervisor import TETHER
from storage.engines import EngineUrls
from tests.support.engines import ROOT

START_SECONDS = 30.0
STOP_SECONDS = 15.0
POLL_SECONDS = 0.05


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Started:
    """One running process of the house."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    url: str = ""

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def kill(self) -> None:
        """SIGKILL, as a power cut would; returns when it is gone."""
        self.process.kill()
        self.process.wait(STOP_SECONDS)

    def stop(self) -> int:
        """SIGTERM; gives the exit code. Raises TimeoutExpired when it does not end."""
        self.process.terminate()
        return self.process.wait(STOP_SECONDS)

    def wait(self, seconds: float = START_SECONDS) -> int:
        """Wait for it to end by itself, as at a kill point; gives the exit code."""
        return self.process.wait(seconds)

    def wait_until_serving(self, path: str = "/healthz") -> None:
        """Return once an address answers below 500. Raises AssertionError with its log."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            code = self.process.poll()
            assert code is None, f"{self.name} ended with {code}:\n{self.log.read_text()[-3000:]}"
            try:
                with urllib.request.urlopen(self.url + path, timeout=5):
                    return
            except urllib.error.HTTPError as error:
                error.close()
                if error.code < 500:
                    return
            except OSError:
                # Not listening yet.
                pass
            time.sleep(POLL_SECONDS)
        raise AssertionError(f"{self.name} does not serve:\n{self.log.read_text()[-3000:]}")


@dataclass
class House:
    """Processes that belong together: one database, one sandbox, one set of secrets.

    Use as a context manager; at its end whatever still runs is stopped.
    """

    folder: Path
    urls: EngineUrls
    database: str
    extra: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    sandbox_port: int = field(default_factory=free_port)
    started: list[Started] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for one in reversed(self.started):
            if one.process.poll() is None:
                one.process.terminate()
                try:
                    one.process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    one.kill()
            if one.process.stdin is not None:
                one.process.stdin.close()

    @property
    def service_url(self) -> str:
        """Where the service of `start_service()` listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def sandbox_url(self) -> str:
        """Where the sandbox listens."""
        return f"http://127.0.0.1:{self.sandbox_port}"

    @property
    def env(self) -> dict[str, str]:
        """Every BIANMIN_ variable the processes get, secrets included."""
        secrets = dotenv_values(development_secrets(self.folder, list(GENERATED)))
        return {
            **{key: value for key, value in secrets.items() if value},
            "BIANMIN_DATA_DIR": str(self.folder),
            "BIANMIN_MONGO_URL": self.urls.mongo_url,
            "BIANMIN_REDIS_URL": self.urls.redis_url,
            "BIANMIN_MONGO_DATABASE": self.database,
            "BIANMIN_PORT": str(self.port),
            "BIANMIN_PUBLIC_URL": self.service_url,
            "BIANMIN_SANDBOX_PORT": str(self.sandbox_port),
            "BIANMIN_WECHAT_API": f"{self.sandbox_url}/wechat-api",
            "BIANMIN_ALIYUN_SMS_ENDPOINT": f"{self.sandbox_url}/sms/",
            **self.extra,
        }

    def start_service(self, *, port: int | None = None, **env: str) -> Started:
        """A service process that answers /healthz; `port` for a second one beside the first."""
        port = port or self.port
        one = self._start("service", ("bianmin", "serve"), {**env, "BIANMIN_PORT": str(port)})
        one.url = f"http://127.0.0.1:{port}"
        one.wait_until_serving()
        return one

    def start_worker(self, **env: str) -> Started:
        """A delivery worker."""
        return self._start("worker", ("bianmin", "worker"), env)

    def start_code_sender(self) -> Started:
        """The part of a worker that sends SMS codes, where the rest would be in a test's way."""
        return self._start("code-sender", ("tests.support.code_sender",), {"PYTHONPATH": str(ROOT)})

    def start_sandbox(self, **env: str) -> Started:
        """The sandbox, pushing to `service_url`."""
        journal = self.folder / "sandbox-journal.jsonl"
        command = ("sandbox", "--port", str(self.sandbox_port), "--service", self.service_url)
        one = self._start("sandbox", (*command, "--journal", str(journal)), env)
        one.url = self.sandbox_url
        one.wait_until_serving("/phone")
        return one

    def command(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a command of `bianmin` to its end, with the same environment."""
        return subprocess.run(
            (sys.executable, "-m", "bianmin", *arguments),
            cwd=self.folder,
            env=self._environment(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def _start(self, name: str, module: tuple[str, ...], env: Mapping[str, str]) -> Started:
        log = self.folder / f"{name}-{len(self.started)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                (
                    *(sys.executable, "-I", "-S", str(TETHER), str(os.getpid())),
                    *(sys.executable, "-m", *module),
                ),
                # Not the project's folder: its .env is the developer's.
                cwd=self.folder,
                env=self._environment(env),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        one = Started(name, process, log)
        self.started.append(one)
        return one

    def _environment(self, env: Mapping[str, str]) -> dict[str, str]:
        outside = {k: v for k, v in os.environ.items() if not k.startswith("BIANMIN_")}
        return {**outside, **self.env, **env}


def is_alive(pid: int) -> bool:
    """Whether a process still runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def kill(pid: int) -> None:
    """SIGKILL to a process that is not our child."""
    os.kill(pid, signal.SIGKILL)
