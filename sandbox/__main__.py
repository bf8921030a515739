"""`python -m sandbox`: start the sandbox as a process."""

import argparse
import asyncio
import dataclasses
import signal
from pathlib import Path

from sandbox.server import make_server
from sandbox.settings import Settings


def read_arguments() -> Settings:
    """Settings from the environment, command line above it."""
    settings = Settings.from_env()
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=settings.port, help="0: a free port")
    parser.add_argument("--service", default=settings.service, help="address of the service")
    parser.add_argument("--seed-file", type=Path, help='JSON: {"people": [{"name", "phone"}]}')
    parser.add_argument("--journal", type=Path, help="file that keeps chats and SMS over restarts")
    given = parser.parse_args()
    return dataclasses.replace(
        settings,
        port=given.port,
        service=given.service.rstrip("/"),
        seed_file=given.seed_file,
        journal=given.journal,
    )


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    sandbox = make_server(settings)
    print(f"sandbox listening on {sandbox.address}", flush=True)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    await sandbox.close()


if __name__ == "__main__":
    asyncio.run(run(read_arguments()))
