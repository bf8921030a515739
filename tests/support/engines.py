"""Engines for tests: a process of their own that runs them in a folder until its input closes.

python -m tests.support.engines FOLDER
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bianmin.engines import engines
from bianmin.settings import Settings
from storage.engines import EngineUrls

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class EngineProcess:
    """A process that runs both engines, and where they are."""

    process: subprocess.Popen[str]
    urls: EngineUrls


def settings_for(folder: Path, **values: object) -> Settings:
    """Settings of a test: this data folder, and nothing from `.env`."""
    return Settings(_env_file=None, data_dir=folder, **values)  # type: ignore[arg-type]  # any field


@contextmanager
def engine_process(folder: Path) -> Iterator[EngineProcess]:
    """Run both engines in a folder for the block; at its end they are stopped in order."""
    process = subprocess.Popen(
        (sys.executable, "-m", "tests.support.engines", str(folder)),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "the engines did not start; their message is on standard error"
        yield EngineProcess(process, EngineUrls(**json.loads(line)))


def kill_engine(running: EngineProcess) -> None:
    """SIGKILL to the document engine; its supervisor starts it again."""
    for child in psutil.Process(running.process.pid).children():
        if child.name() == "secantusd-rs":
            child.kill()


async def main(folder: Path) -> None:
    """Start, tell the URLs on standard output, wait for the end of standard input, stop."""
    async with engines(settings_for(folder)) as urls:
        print(json.dumps({"mongo_url": urls.mongo_url, "redis_url": urls.redis_url}), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
