# SPDX-License-Identifier: Apache-2.0
"""Owns: whether a worker is after many jobs what it was: memory, processes, descriptors, time."""
from . import memory, sample

BLOCKS = 20


def measure(setting, case, count):
    """{"case", "jobs", sides: {name: [block]}}: BLOCKS blocks, each with its p50 and p99, and with
    what the worker and its processes held at its end.  By turns, block for block."""
    each = max(1, count // BLOCKS)
    blocks = {side.name: [] for side in setting.sides}
    with setting.runners(setting.sides, case) as runners:
        for run in runners.values():
            for _ in range(setting.sizes.warm_up):
                run()
        for _, name in sample.turns(BLOCKS, list(runners)):
            run = runners[name]
            times = [run().wall for _ in range(each)]
            held, processes, descriptors = memory.total(run.worker.process.pid)
            blocks[name].append({**sample.spread(times), "pss": held, "processes": processes,
                                 "descriptors": descriptors})
    return {"case": case.name, "jobs": each * BLOCKS, "sides": blocks}
