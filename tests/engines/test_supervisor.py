"""The supervisor: order, restarts, back-off, and the end of children with their parent."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from bianmin.errors import EngineError
from bianmin.supervisor import TETHER, Child, Supervisor
from tests.support.processes import kill

PATIENCE_SECONDS = 15

# Says that it runs, and when it is asked to end; ends when asked.
POLITE = """
import pathlib, signal, sys, time
name, note = sys.argv[1:]
def say(word):
    with open(note, "a") as file:
        file.write(f"{name} {word}\\n")
def end(*_):
    say("ends")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
say("runs")
while True:
    time.sleep(0.05)
"""
DEAF = POLITE.replace("def end(*_):", "def end(*_):\n    return")


async def until(happened: Callable[[], bool]) -> None:
    """Wait until something can be seen."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if happened():
                return
            await asyncio.sleep(0.02)


def child(
    folder: Path, name: str, code: str = POLITE, ready: Callable[[], Awaitable[None]] | None = None
) -> Child:
    """A child that writes to `notes` what happens to it; ready once it says so."""
    notes = folder / "notes"

    async def said() -> None:
        assert f"{name} runs" in notes.read_text()

    return Child(
        name=name,
        command=(sys.executable, "-c", code, name, str(notes)),
        log=folder / f"{name}.log",
        ready=ready or said,
        start_seconds=5,
        stop_seconds=2,
        check_seconds=0.1,
    )


def test_children_start_in_order_and_end_in_the_opposite_one(tmp_path: Path) -> None:
    async def story() -> None:
        async with Supervisor(print) as supervisor:
            for name in ("first", "second", "third"):
                await supervisor.start(child(tmp_path, name))

    asyncio.run(story())
    assert (tmp_path / "notes").read_text().splitlines() == [
        *("first runs", "second runs", "third runs"),
        *("third ends", "second ends", "first ends"),
    ]


def test_a_killed_child_is_started_again_and_that_is_told(tmp_path: Path) -> None:
    told: list[str] = []

    async def story() -> None:
        async with Supervisor(told.append) as supervisor:
            running = await supervisor.start(child(tmp_path, "one"))
            for restarts in (1, 2):
                assert running.pid is not None
                kill(running.pid)
                await until(lambda wanted=restarts: told.count("one runs again") == wanted)

    asyncio.run(story())
    assert told.count("one ended with code -9; starting it again") == 2


def test_pauses_between_restarts_grow(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    code = POLITE + "\n"
    fragile = code.replace("while True:", "while not pathlib.Path(note + '.die').exists():")

    async def story() -> None:
        async with Supervisor(lambda line: None) as supervisor:
            running = await supervisor.start(child(tmp_path, "one", fragile))
            (tmp_path / "notes.die").touch()
            begin = time.monotonic()
            await until(lambda: running.restarts == 4)
            assert time.monotonic() - begin >= 0.2 + 0.4 + 0.8 + 1.6

    asyncio.run(story())
    assert notes.exists()


def test_a_child_that_stops_answering_is_started_again(tmp_path: Path) -> None:
    told: list[str] = []
    answers = True

    async def ready() -> None:
        if not answers:
            raise ConnectionError

    async def story() -> None:
        nonlocal answers
        async with Supervisor(told.append) as supervisor:
            running = await supervisor.start(child(tmp_path, "one", ready=ready))
            before = running.pid
            answers = False
            await until(lambda: "one does not answer; starting it again" in told)
            answers = True
            await until(lambda: "one runs again" in told)
            assert running.pid != before

    asyncio.run(story())


def test_a_child_that_does_not_start_is_an_error_with_the_end_of_its_log(tmp_path: Path) -> None:
    async def story() -> None:
        async with Supervisor(print) as supervisor:
            await supervisor.start(child(tmp_path, "one", "raise SystemExit('no such thing')"))

    with pytest.raises(EngineError, match=r"one ended with code 1(.|\n)*no such thing"):
        asyncio.run(story())


def test_a_child_that_ignores_the_request_to_end_is_killed(tmp_path: Path) -> None:
    async def story() -> int:
        async with Supervisor(print) as supervisor:
            running = await supervisor.start(child(tmp_path, "one", DEAF))
            assert running.pid is not None
            return running.pid

    assert not psutil.pid_exists(asyncio.run(story()))


@pytest.mark.parametrize("way", ["kernel", "pipe"])
def test_a_child_ends_with_its_parent(tmp_path: Path, way: str) -> None:
    notes = tmp_path / "notes"
    options = ("--pipe",) if way == "pipe" else ()
    parent_code = f"""
import os, subprocess, sys, time
subprocess.Popen(
    [sys.executable, "-I", "-S", {str(TETHER)!r}, *{options!r}, str(os.getpid()),
     sys.executable, "-c", {POLITE!r}, "one", {str(notes)!r}],
    stdin=subprocess.PIPE)
time.sleep(600)
"""
    with subprocess.Popen((sys.executable, "-c", parent_code)) as parent:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not notes.exists() or "one runs" not in notes.read_text():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        children = psutil.Process(parent.pid).children(recursive=True)
        assert children
        parent.kill()
    assert psutil.wait_procs(children, PATIENCE_SECONDS)[1] == []
    assert notes.read_text().splitlines() == ["one runs", "one ends"]


def test_a_tether_whose_parent_is_gone_starts_nothing(tmp_path: Path) -> None:
    not_the_parent = str(os.getppid())
    command = (sys.executable, "-c", f"open({str(tmp_path / 'ran')!r}, 'w')")
    tether = (sys.executable, "-I", "-S", str(TETHER), not_the_parent, *command)
    assert subprocess.run(tether, check=False).returncode == 1
    assert not (tmp_path / "ran").exists()
