# SPDX-License-Identifier: Apache-2.0
"""Owns: what the processes of a warm worker that waits hold in memory, each with its share of what
it shares with others (PSS)."""
import time

from . import process

SETTLE_SECONDS = 5.0
# By the names that the processes below our worker give themselves.
ROLES = {"pvf-guard": "guard", "pvf-zygote": "zygote", "pvf-execute-job": "job that waits"}


def measure(setting, cases):
    """One row for each process of each side and case."""
    rows = []
    for case in cases:
        with setting.runners(setting.sides, case) as runners:
            for run in runners.values():
                for _ in range(setting.sizes.warm_up + 2):
                    run()
            for name, run in runners.items():
                pid = run.worker.process.pid
                rows += [{"case": case.name, "side": name, "process": role, **figures}
                         for role, figures in _settled(pid)]
    return rows


def _settled(pid):
    """(role, memory) of a worker's processes, once their number stands still."""
    deadline, last = time.monotonic() + SETTLE_SECONDS, None
    while True:
        now = process.tree(pid)
        if now == last or time.monotonic() > deadline:
            break
        last = now
        time.sleep(0.2)
    held = [("worker" if each == pid else ROLES.get(name, name), process.memory(each))
            for each, name in now]
    return [(role, figures) for role, figures in held if figures is not None]


def total(pid):
    """(bytes of all, processes, descriptors of the worker)."""
    held = [process.memory(each) for each, _ in process.tree(pid)]
    return (sum(figures["pss"] for figures in held if figures), len(held),
            process.descriptors(pid))
