"""The laboratory itself: spools, a loop that goes on, processes that break."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from casework.photos import PhotoLab
from casework.spooling import MAX_BYTES, STALE_SECONDS, sweep
from rules.refusals import Refusal
from tests.photos.pictures import camera_jpeg, card, saved


def spooled(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.spool"))


def test_what_lies_in_the_spool_is_no_picture(bench) -> None:
    data = camera_jpeg(1)

    async def upload() -> None:
        async with bench.lab.spool() as spool:
            await spool.write(data)
            await spool.done()
            await spool.done()
            (path,) = spooled(bench.folder)
            kept = path.read_bytes()
            assert len(kept) == len(data) == spool.size
            assert not kept.startswith(b"\xff\xd8") and b"Exif" not in kept
            assert path.stat().st_mode & 0o777 == 0o600

    bench.run(upload())
    assert spooled(bench.folder) == []


def test_a_changed_spool_is_refused(bench) -> None:
    async def upload() -> None:
        async with bench.lab.spool() as spool:
            await spool.write(saved(card(), "PNG"))
            await spool.done()
            (path,) = spooled(bench.folder)
            kept = bytearray(path.read_bytes())
            kept[len(kept) // 2] ^= 1
            path.write_bytes(kept)
            await bench.lab.prepare(spool)

    with pytest.raises(Refusal, match="photo-unreadable"):
        bench.run(upload())
    assert spooled(bench.folder) == []


def test_more_than_ten_megabytes_are_refused_while_they_come(bench) -> None:
    async def upload() -> int:
        async with bench.lab.spool() as spool:
            await spool.write(b"x" * MAX_BYTES)
            with pytest.raises(Refusal, match="photo-too-large"):
                await spool.write(b"x")
            return spool.size

    assert bench.run(upload()) == MAX_BYTES + 1
    assert spooled(bench.folder) == []


def test_the_sweep_takes_only_what_is_old(tmp_path: Path) -> None:
    old, young = tmp_path / "a.spool", tmp_path / "b.spool"
    for path in (old, young):
        path.write_bytes(b"noise")
    past = time.time() - STALE_SECONDS - 1
    os.utime(old, (past, past))
    assert sweep(tmp_path) == 1
    assert spooled(tmp_path) == [young]


def test_the_loop_goes_on_while_pictures_are_made(bench) -> None:
    data = camera_jpeg(6, 4000, 3000)

    async def upload() -> None:
        async with bench.lab.spool() as spool:
            await spool.write(data)
            await bench.lab.prepare(spool)

    async def watched() -> float:
        uploads = asyncio.gather(*(upload() for _ in range(6)))
        worst = 0.0
        while not uploads.done():
            began = time.perf_counter()
            await asyncio.sleep(0.005)
            worst = max(worst, time.perf_counter() - began - 0.005)
        await uploads
        return worst

    # The best of three: decoding on the loop would show in each, other programs' load does not.
    assert min(bench.run(watched()) for _ in range(3)) < 0.1


@pytest.mark.gen_test(timeout=30)
async def test_a_broken_process_costs_one_answer_and_no_more(tmp_path: Path) -> None:
    others = {child.pid for child in image_processes()}
    lab = PhotoLab(tmp_path)
    await lab.start()

    async def upload(data: bytes) -> int:
        async with lab.spool() as spool:
            await spool.write(data)
            return (await lab.prepare(spool)).width

    under_way = asyncio.ensure_future(upload(camera_jpeg(1, 6000, 4500)))
    await asyncio.sleep(0.05)
    kill(others)
    with pytest.raises(Refusal, match="busy-try-again"):
        await under_way
    assert await upload(camera_jpeg(1)) == 1200
    # Those that die while idle cost nothing.
    kill(others)
    await asyncio.sleep(0.5)
    assert await upload(camera_jpeg(1)) == 1200
    await lab.stop()
    assert spooled(tmp_path) == []


def kill(others: set[int]) -> None:
    for child in image_processes():
        if child.pid not in others:
            child.send_signal(signal.SIGKILL)


def image_processes() -> list[psutil.Process]:
    """Children that were spawned to work, without multiprocessing's resource tracker."""
    children = psutil.Process().children()
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


def test_image_processes_end_with_the_service_however_it_dies(tmp_path: Path) -> None:
    program = tmp_path / "service.py"
    program.write_text(SERVICE, encoding="utf-8")
    service = subprocess.Popen(
        [sys.executable, str(program), str(tmp_path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    assert service.stdout is not None
    assert service.stdout.readline() == b"ready\n"
    children = psutil.Process(service.pid).children(recursive=True)
    assert len(children) >= 2
    service.kill()
    service.wait()
    service.stdout.close()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []


SERVICE = """
import asyncio, sys
from pathlib import Path
from casework.photos import PhotoLab

async def serve():
    lab = PhotoLab(Path(sys.argv[1]))
    await lab.start()
    print("ready", flush=True)
    await asyncio.sleep(60)

if __name__ == "__main__":
    asyncio.run(serve())
"""
