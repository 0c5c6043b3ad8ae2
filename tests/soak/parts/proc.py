# SPDX-License-Identifier: Apache-2.0
"""What /proc says about processes.  A process that is gone has nothing to say: None, or nothing."""
import ctypes
import os

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    """Whoever is left behind below this process becomes its child, and is found."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def read(pid, name):
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return file.read()
    except OSError:
        return None


def parents():
    """pid -> (parent, state) of everything that runs."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            stat = read(entry, "stat")
            if stat is not None:
                state, parent = stat.rpartition(b")")[2].split()[:2]
                found[int(entry)] = (int(parent), state.decode())
    return found


def children(pid, table=None):
    """Those that live; the dead that nobody has waited for are not among them."""
    table = parents() if table is None else table
    return [child for child, (parent, state) in table.items()
            if parent == pid and state not in "ZX"]


def descendants(pid):
    table, found, todo = parents(), [], [pid]
    while todo:
        below = children(todo.pop(), table)
        found += below
        todo += below
    return found


def reap(but):
    """Buries the dead orphans that came to us: a process namespace ends when the last of its dead
    is buried."""
    for pid, (parent, state) in parents().items():
        if parent == os.getpid() and state == "Z" and pid != but:
            os.waitpid(pid, os.WNOHANG)


def kind(pid):
    """"prepare" or "execute" for a worker or a job of it, else None."""
    words = (read(pid, "cmdline") or b"").split(b"\0")
    for name in ("prepare", "execute"):
        if f"{name}-worker".encode() in words[1:2]:
            return name
    return None


def pss_kib(pid):
    for line in (read(pid, "smaps_rollup") or b"").splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1])
    return None


def descriptors(pid):
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return None
