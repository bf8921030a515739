"""The command line as processes: doctor, version, run, and errors without a stack trace."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.support.processes import free_port

PATIENCE_SECONDS = 40


def bianmin(folder: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, in a folder of its own."""
    return subprocess.run(
        (sys.executable, "-m", "bianmin", *arguments),
        cwd=folder,
        env=environment(folder, env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )


def environment(folder: Path, env: dict[str, str]) -> dict[str, str]:
    """Nothing of ours from outside; a wide terminal; data in the folder."""
    outside = {k: v for k, v in os.environ.items() if not k.startswith("BIANMIN_")}
    return {**outside, "COLUMNS": "200", "BIANMIN_DATA_DIR": str(folder / "var"), **env}


def test_version(tmp_path: Path) -> None:
    assert bianmin(tmp_path, "version").stdout.startswith("bianmin 0.")


def test_doctor_lists_settings_with_origin_and_tries_the_engines(tmp_path: Path) -> None:
    ran = bianmin(tmp_path, "doctor", BIANMIN_PORT="8123")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    line = next(line for line in ran.stdout.splitlines() if "BIANMIN_PORT" in line)
    assert "8123" in line
    assert "environment" in line
    assert "MongoDB protocol (embedded): answers" in ran.stdout
    keys = (tmp_path / "var" / "keys.env").read_text().splitlines()[1:]
    assert not [key for key in keys if key.partition("=")[2] in ran.stdout]


def test_doctor_refuses_embedded_engines_in_production(tmp_path: Path) -> None:
    ran = bianmin(tmp_path, "doctor", BIANMIN_ENV="production")
    assert ran.returncode == 1
    assert "BIANMIN_MONGO_URL is not set: the embedded engine is for development" in ran.stdout


@pytest.mark.parametrize("command", ["serve", "worker", "run", "sandbox"])
def test_wrong_settings_are_one_message_and_no_trace(tmp_path: Path, command: str) -> None:
    ran = bianmin(tmp_path, command, BIANMIN_ENV="production")
    assert ran.returncode == 1
    assert "BIANMIN_MASTER_KEY is not set" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_run_names_the_ports_that_are_taken_and_starts_nothing(tmp_path: Path) -> None:
    with socket.socket() as thief:
        thief.bind(("127.0.0.1", 0))
        thief.listen()
        port = str(thief.getsockname()[1])
        ran = bianmin(tmp_path, "run", BIANMIN_PORT=port, BIANMIN_SANDBOX_PORT=str(free_port()))
    assert ran.returncode == 1
    assert f"127.0.0.1:{port}" in ran.stderr
    assert "BIANMIN_PORT=" in ran.stderr
    assert not (tmp_path / "var" / "mongo").exists()


def test_run_starts_everything_and_ctrl_c_stops_every_child(tmp_path: Path) -> None:
    ports = {"BIANMIN_PORT": str(free_port()), "BIANMIN_SANDBOX_PORT": str(free_port())}
    for _ in ("a new data folder", "the same one again"):
        with subprocess.Popen(
            (sys.executable, "-m", "bianmin", "run"),
            cwd=tmp_path,
            env=environment(tmp_path, ports),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as running:
            assert running.stdout is not None
            printed = ""
            for line in running.stdout:
                printed += line
                if "Ctrl-C" in line:
                    break
            children = psutil.Process(running.pid).children(recursive=True)
            running.send_signal(signal.SIGINT)
            running.stdout.read()
        assert running.returncode == 0, printed
        assert f":{ports['BIANMIN_SANDBOX_PORT']}/phone" in printed
        assert f":{ports['BIANMIN_PORT']}/desk/" in printed
        assert len(children) >= 5
        assert psutil.wait_procs(children, PATIENCE_SECONDS)[1] == []
