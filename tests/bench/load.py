"""A small load generator: prepared requests over kept-alive connections, in a process of its own.

It only counts and times; it reads a response's head and skips its body. Run as a module it takes
a file of requests and prints one JSON line, so that its own CPU time is not the service's.
"""

import asyncio
import json
import re
import secrets
import struct
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

_LENGTH = re.compile(rb"\r\n[Cc]ontent-[Ll]ength: (\d+)")
_SIZE = struct.Struct(">I")
_GOOD = (b"HTTP/1.1 200", b"HTTP/1.1 201")


@dataclass(frozen=True)
class Load:
    """What one run saw: answers a second, latency in milliseconds, answers that were neither
    200 nor 201."""

    per_second: float
    p50: float
    p99: float
    bad: int
    count: int


async def run(port: int, requests: Sequence[bytes], connections: int) -> Load:
    """Send every request once, ``connections`` at a time, as fast as answers come. Each connection
    comes from an address of its own, as citizens do: limits count by address."""
    queue = iter(requests)
    times: list[float] = []
    bad = 0

    async def client() -> None:
        nonlocal bad
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, local_addr=(_some_address(), 0)
        )
        for request in queue:
            start = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            found = _LENGTH.search(head)
            if found:
                await reader.readexactly(int(found[1]))
            times.append(time.perf_counter() - start)
            bad += not head.startswith(_GOOD)
        writer.close()

    start = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(connections)))
    took = time.perf_counter() - start
    times.sort()
    return Load(
        per_second=len(times) / took,
        p50=times[len(times) // 2] * 1000,
        p99=times[int(len(times) * 0.99)] * 1000,
        bad=bad,
        count=len(times),
    )


def _some_address() -> str:
    # Linux listens on the whole of 127/8; elsewhere there is one address only.
    if sys.platform != "linux":
        return "127.0.0.1"
    return "127." + ".".join(str(1 + secrets.randbelow(254)) for _ in range(3))


def save(path: Path, requests: Sequence[bytes]) -> None:
    """Write requests for another process, each with its length before it."""
    path.write_bytes(b"".join(_SIZE.pack(len(r)) + r for r in requests))


def _read(path: Path) -> list[bytes]:
    data, at, found = path.read_bytes(), 0, []
    while at < len(data):
        (size,) = _SIZE.unpack_from(data, at)
        found.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return found


async def apart(port: int, path: Path, connections: int) -> Load:
    """Run the load in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.load", str(port), str(path), str(connections),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError("the load generator failed")
    return Load(**json.loads(out))


if __name__ == "__main__":
    seen = asyncio.run(run(int(sys.argv[1]), _read(Path(sys.argv[2])), int(sys.argv[3])))
    print(json.dumps(asdict(seen)))
