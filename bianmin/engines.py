"""The engines a command works with: those named by URL, else embedded ones shared in one folder.

Of several commands in one data folder the first starts the embedded engines and tells the others by
`engines.json` where they are. Two locks keep this right, even after a kill:
`engines.lock` is held by the process that owns the engines, `engines.alive` by the engines
themselves (they inherit it), so that nobody opens a folder a dying engine still writes to.
"""

import asyncio
import fcntl
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from bianmin.errors import EngineError
from bianmin.settings import Settings
from bianmin.supervisor import Child, Supervisor
from storage.engines import EngineLaunch, EngineNotReady, EngineUrls, mongo, redis

WAIT_SECONDS = 30.0
WAIT_STEP = 0.1
START_TRIES = 3


@asynccontextmanager
async def engines(
    settings: Settings,
    *,
    own: bool = False,
    tell: Callable[[str], None] = lambda line: print(line, file=sys.stderr),
) -> AsyncIterator[EngineUrls]:
    """Engines that answer, until the end of the block.

    `own`: insist on being the process that runs them, as `bianmin run` must, because a command
    that ends takes its engines with it. Raises EngineError.
    """
    given = EngineUrls(settings.mongo_url.get_secret_value(), settings.redis_url.get_secret_value())
    if not settings.embedded:
        await _expect(mongo.ping(given.mongo_url), "BIANMIN_MONGO_URL", "MongoDB")
        await _expect(redis.ping(given.redis_url), "BIANMIN_REDIS_URL", "Redis")
        yield given
        return
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    note = settings.data_dir / "engines.json"
    with _lock_file(settings.data_dir / "engines.lock") as lock:
        deadline = asyncio.get_running_loop().time() + WAIT_SECONDS
        while not _try_lock(lock):
            shared = None if own else await _running(note)
            if shared is not None:
                yield _choose(given, shared)
                return
            if asyncio.get_running_loop().time() > deadline:
                raise EngineError(
                    f"Another bianmin command runs the engines in {settings.data_dir}"
                    f" (process {_owner(note)}). Stop it, or name another folder:"
                    " BIANMIN_DATA_DIR=…"
                )
            await asyncio.sleep(WAIT_STEP)
        note.unlink(missing_ok=True)
        async with _started(settings, given, tell) as urls:
            _write_private(
                note,
                {"pid": str(os.getpid()), "mongo_url": urls.mongo_url, "redis_url": urls.redis_url},
            )
            try:
                yield urls
            finally:
                note.unlink(missing_ok=True)


@asynccontextmanager
async def _started(
    settings: Settings, given: EngineUrls, tell: Callable[[str], None]
) -> AsyncIterator[EngineUrls]:
    folder = settings.data_dir
    with _lock_file(folder / "engines.alive") as alive:
        deadline = asyncio.get_running_loop().time() + WAIT_SECONDS
        while not _try_lock(alive):
            if asyncio.get_running_loop().time() > deadline:
                raise EngineError(f"An engine of an earlier run still works in {folder}; end it.")
            await asyncio.sleep(WAIT_STEP)
        async with Supervisor(tell) as supervisor:

            async def start(make: Callable[[Path], EngineLaunch], place: Path) -> str:
                for attempt in range(1, START_TRIES + 1):
                    launch = make(place)
                    try:
                        await supervisor.start(_child(launch, folder / "log", alive))
                    except EngineError:
                        # The port may have been taken since it was chosen: choose again.
                        if attempt == START_TRIES:
                            raise
                    else:
                        return launch.url
                raise AssertionError("the last attempt returns or raises")

            mongo_url, redis_url = given.mongo_url, given.redis_url
            if not mongo_url:
                place = folder / "mongo"
                first = mongo.first_launch(place)
                if first is not None:
                    async with Supervisor(tell) as beginning:
                        await beginning.start(_child(first, folder / "log", alive))
                mongo_url = await start(mongo.launch, place)
            if not redis_url:
                redis_url = await start(redis.launch, folder / "redis")
            yield EngineUrls(mongo_url, redis_url)


def _child(launch: EngineLaunch, logs: Path, alive: int) -> Child:
    return Child(
        name=launch.name,
        command=launch.command,
        env=launch.env,
        ready=launch.ready,
        log=logs / f"{launch.name}.log",
        keep_open=(alive,),
    )


def _choose(given: EngineUrls, embedded: EngineUrls) -> EngineUrls:
    return EngineUrls(given.mongo_url or embedded.mongo_url, given.redis_url or embedded.redis_url)


async def _running(note: Path) -> EngineUrls | None:
    """The engines another process runs here, if they answer."""
    written = _read(note)
    if written is None:
        return None
    urls = EngineUrls(written["mongo_url"], written["redis_url"])
    try:
        await mongo.ping(urls.mongo_url)
        await redis.ping(urls.redis_url)
    except EngineNotReady:
        return None
    return urls


def _owner(note: Path) -> str:
    written = _read(note)
    return written["pid"] if written else "not known yet"


def _read(note: Path) -> dict[str, str] | None:
    try:
        written: dict[str, str] = json.loads(note.read_text())
    except FileNotFoundError:
        return None
    return written


async def _expect(answer: Awaitable[str], name: str, program: str) -> None:
    try:
        await answer
    except EngineNotReady as error:
        raise EngineError(
            f"The {program} server named by {name} does not answer: {error}"
        ) from error


@contextmanager
def _lock_file(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write_private(path: Path, content: dict[str, str]) -> None:
    fresh = path.with_suffix(".new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(content, file)
    fresh.replace(path)
