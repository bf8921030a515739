"""Runs a command that ends with the process that started it, however that one ends.

Started as a file with `python -I -S`, so it imports the standard library only:

    tether.py PARENT_PID COMMAND...

On Linux the kernel is asked to send SIGTERM when the parent dies (the request outlives `exec`),
and this process becomes the command. Elsewhere, or with `--pipe`, it stays between the two: its
standard input is a pipe whose other end only the parent holds; when that closes, the
command is ended.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading

PR_SET_PDEATHSIG = 1
GRACE_SECONDS = 10


def become(parent: int, command: list[str]) -> None:
    """Turn into the command, tied to the parent by the kernel. Does not return."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:
        # It died before the request was made; nobody would tell us any more.
        sys.exit(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.execv(command[0], command)


def stand_between(command: list[str]) -> int:
    """Run the command, hand signals on, end it when standard input closes. Gives its exit code."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, close_fds=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: child.send_signal(received))

    def watch() -> None:
        os.read(0, 1)
        child.terminate()
        try:
            child.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()

    threading.Thread(target=watch, daemon=True).start()
    code = child.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    if sys.argv[1] == "--pipe":
        sys.exit(stand_between(sys.argv[3:]))
    if sys.platform == "linux":
        become(int(sys.argv[1]), sys.argv[2:])
    sys.exit(stand_between(sys.argv[2:]))
