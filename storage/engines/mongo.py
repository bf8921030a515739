"""The embedded engine of the MongoDB protocol: SecantusDB's server `secantusd-rs`.

Its flags, measured in docs/decisions/0001: `--sync-on-commit`, because without it acknowledged
writes are lost in a kill; a small write-ahead file, because the default reserves 2 GB.
The server has no user before the first start, and with `--auth` nobody could make one: so the first
launch goes without, on the loopback address, and ends once the user exists.
"""

import json
import os
import secrets
import socket
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import psutil
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError

from storage.engines.launch import EngineLaunch, EngineNotReady

USER = "bianmin"
MAX_CACHE_BYTES = 4 * 1024**3
PORTS = range(20000, 30000)
"""Below the ports of outgoing connections, so that ours is still free after a restart."""
READY_MS = 3000
SOCKET_MS = 20000
"""A server that stops answering must not hold a request for ever."""
USER_EXISTS = 51003


@dataclass(frozen=True)
class _Credentials:
    """The user of the engine in this folder, and whether the engine knows it yet."""

    password: str
    created: bool


def binary() -> Path:
    """The server inside the installed wheel. Raises FileNotFoundError when it is not there."""
    path = Path(sysconfig.get_path("platlib"), "secantusdb.scripts", "secantusd-rs")
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: run make install")
    return path


def first_launch(folder: Path) -> EngineLaunch | None:
    """The launch that makes the user, or None when a user exists. Being ready means: made."""
    credentials = _credentials(folder)
    if credentials.created:
        return None
    port = _port(folder)
    url = f"mongodb://127.0.0.1:{port}/?directConnection=true"

    async def make_user() -> None:
        async with _client(url) as client:
            try:
                await client.admin.command(
                    "createUser",
                    USER,
                    pwd=credentials.password,
                    roles=["root"],
                    mechanisms=["SCRAM-SHA-256"],
                )
            except OperationFailure as error:
                # An earlier first start was killed after this very command; same password.
                if error.code != USER_EXISTS:
                    raise EngineNotReady(str(error)) from error
            except PyMongoError as error:
                raise EngineNotReady(str(error)) from error
        _keep(folder, _Credentials(credentials.password, created=True))

    return EngineLaunch("mongo-first-start", _command(folder, port), url, make_user)


def launch(folder: Path) -> EngineLaunch:
    """The launch for work. The port is the one kept in the folder, or a new one if it is taken."""
    port = _port(folder)
    url = (
        f"mongodb://{USER}:{_credentials(folder).password}@127.0.0.1:{port}/?directConnection=true"
        f"&authSource=admin&authMechanism=SCRAM-SHA-256&socketTimeoutMS={SOCKET_MS}"
    )

    async def ready() -> None:
        await ping(url)

    return EngineLaunch("mongo", (*_command(folder, port), "--auth"), url, ready)


async def ping(url: str) -> str:
    """The server's version, asked with the URL's credentials. Raises EngineNotReady."""
    async with _client(url) as client:
        try:
            await client.admin.command("ping")
            # Needs the user's rights, which `ping` and `hello` alone do not on every server.
            await client.admin.command("listDatabases", nameOnly=True)
            return str((await client.admin.command("buildInfo"))["version"])
        except PyMongoError as error:
            raise EngineNotReady(str(error)) from error


def _client(url: str) -> AsyncMongoClient[dict[str, object]]:
    return AsyncMongoClient(
        url, serverSelectionTimeoutMS=READY_MS, connectTimeoutMS=READY_MS, socketTimeoutMS=READY_MS
    )


def _command(folder: Path, port: int) -> tuple[str, ...]:
    cache = min(MAX_CACHE_BYTES, psutil.virtual_memory().total // 4) // 1024**2
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    # An empty configuration of its own: otherwise a file in the user's home would be read.
    config = folder / "secantusd.toml"
    config.touch(mode=0o600)
    return (
        *(str(binary()), "--config", str(config)),
        *("--host", "127.0.0.1", "--port", str(port), "--storage-path", str(data)),
        *("--sync-on-commit", "--log-file-max", "64MB", "--cache-size", f"{cache}M"),
        *("--log-level", "WARNING"),
    )


def _credentials(folder: Path) -> _Credentials:
    """The kept credentials; a new password, kept before anybody uses it, when there are none."""
    path = folder / "credentials.json"
    if path.exists():
        return _Credentials(**json.loads(path.read_text()))
    fresh = _Credentials(secrets.token_urlsafe(32), created=False)
    _keep(folder, fresh)
    return fresh


def _keep(folder: Path, credentials: _Credentials) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / "credentials.json"
    fresh = path.with_suffix(".new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump({"password": credentials.password, "created": credentials.created}, file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _port(folder: Path) -> int:
    path = folder / "port"
    if path.exists() and _is_free(kept := int(path.read_text())):
        return kept
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    port = next(p for p in iter(lambda: secrets.choice(PORTS), None) if _is_free(p))
    path.write_text(f"{port}\n")
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
