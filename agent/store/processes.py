"""Who holds a lease: a process, named so that another one on the same machine can tell whether it still lives."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from pathlib import Path


def this_process() -> str:
    """`machine:pid:start` of this process.

    The machine is the host name with the running kernel and the PID namespace, so that two containers of one name, or
    a machine before and after a restart, never judge each other's processes.
    """
    return f"{_machine()}:{os.getpid()}:{_start_of(os.getpid()) or secrets.token_hex(8)}"


def is_gone(owner: str) -> bool:
    """Whether the process called `owner` certainly no longer runs. False when that cannot be told from here."""
    machine, _, rest = owner.partition(":")
    number, _, start = rest.partition(":")
    if machine != _machine() or not number.isdecimal() or sys.platform == "win32":
        return False
    pid = int(number)
    if pid == os.getpid():
        return _start_of(pid) not in {None, start}
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    found = _start_of(pid)
    # A zombie has ended; another start time is another process with a reused number.
    return found is not None and (found == "ended" or found != start)


def _machine() -> str:
    host = socket.gethostname().replace(":", "_")
    try:
        kernel = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()[:13]
        space = str(Path("/proc/self/ns/pid").readlink()).partition("[")[2].rstrip("]")
    except OSError:
        return host
    return f"{host}/{kernel}/{space}"


def _start_of(pid: int) -> str | None:
    """Start time of a process in kernel ticks, `ended` for a zombie, None where the system does not say."""
    try:
        # The command's name may hold spaces and brackets; the fields are counted from behind it.
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return None
    if len(fields) < 20:
        return None
    return "ended" if fields[0] in {"Z", "X"} else fields[19]
