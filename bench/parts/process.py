# SPDX-License-Identifier: Apache-2.0
"""Owns: what the kernel says about processes."""
import os


def _read(*parts):
    with open(os.path.join("/proc", *parts), encoding="ascii", errors="replace") as file:
        return file.read()


def tree(pid):
    """A process and all below it, with their names; those that ended meanwhile are left out."""
    found, parents = [], {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = _read(entry, "stat").rpartition(")")[2].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(entry))
    queue = [pid]
    while queue:
        at = queue.pop(0)
        try:
            found.append((at, _read(str(at), "comm").strip()))
        except OSError:
            continue
        queue += sorted(parents.get(at, []))
    return found


def memory(pid):
    """{"pss", "private"} in bytes, or None where the kernel does not tell."""
    figures = {}
    try:
        for line in _read(str(pid), "smaps_rollup").splitlines()[1:]:
            name, value = line.split()[:2]
            figures[name] = int(value) * 1024
    except (OSError, ValueError):
        return None
    return {"pss": figures["Pss:"],
            "private": figures["Private_Clean:"] + figures["Private_Dirty:"]}


def faults(pid):
    """Page faults of a process and of its children that were waited for."""
    fields = _read(str(pid), "stat").rpartition(")")[2].split()
    return sum(int(fields[at]) for at in (7, 8, 9, 10))


def cpu_seconds(pid):
    """Of a process, its children that were waited for, and all that live below it."""
    total = 0
    for each, _ in tree(pid):
        try:
            fields = _read(str(each), "stat").rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(field) for field in fields[11:15])
    return total / os.sysconf("SC_CLK_TCK")


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def load():
    return os.getloadavg()[0]
