# SPDX-License-Identifier: Apache-2.0
"""Owns: jobs per second, on one core with one worker and on all cores with one worker each: asked
for by one client a worker, and through the reference's host."""
import multiprocessing
import os
import tempfile
import time

from . import hosts, process, sample
from .setting import Runner, Wrong


def measure(setting, cases):
    cores = sorted(os.sched_getaffinity(0))
    widths = [cores[:1]] + ([cores] if len(cores) > 1 else [])
    rows = []
    for case in cases:
        for width in widths:
            rows.append(_clients(setting, case, width))
        if setting.host and any(setting.flags):
            rows.append(_host(setting, case, widths[-1]))
    return rows


def _row(setting, case, how, width, seen):
    figures = {name: {key: sample.median([run[key] for run in runs]) for key in runs[0]}
               for name, runs in seen.items()}
    row = {"case": case.name, "through": how, "cores": len(width), "sides": figures}
    if setting.theirs:
        row["ratio"] = {"per_s": sample.ratio(figures[setting.ours.name]["per_s"],
                                              figures[setting.theirs.name]["per_s"])}
    return row


def _clients(setting, case, width):
    seen = {side.name: [] for side in setting.sides}
    for side in setting.sides:
        setting.artifact(side, case.code)
    for _, side in sample.turns(setting.sizes.throughput_rounds, setting.sides):
        seen[side.name].append(_burst(setting, side, case, width))
    return _row(setting, case, "one client a worker", width, seen)


def _burst(setting, side, case, width):
    """All begin together, and count for as many seconds as the sizes say."""
    context = multiprocessing.get_context("fork")
    begin, results = context.Barrier(len(width)), context.SimpleQueue()
    clients = [context.Process(target=_client, args=(setting, side, case, width, begin, results))
               for _ in width]
    for client in clients:
        client.start()
    answers = [results.get() for _ in clients]
    for client in clients:
        client.join()
    faults = [answer for answer in answers if isinstance(answer, str)]
    if faults:
        raise Wrong(faults[0])
    times = [wall for walls, _, _ in answers for wall in walls]
    spread = sample.spread(times)
    return {"per_s": sum(len(walls) / span for walls, span, _ in answers),
            "p50": spread["p50"], "p99": spread["p99"],
            "cpu_ms": 1e3 * sum(cpu for _, _, cpu in answers) / len(times)}


def _client(setting, side, case, width, begin, results):
    """In a process of its own: the answers' times, the span, the CPU seconds of the worker."""
    try:
        os.sched_setaffinity(0, width)
        with Runner(setting, side, case) as run:
            for _ in range(setting.sizes.warm_up):
                run()
            begin.wait(120)
            pid, walls = run.worker.process.pid, []
            cpu, start = process.cpu_seconds(pid), time.monotonic()
            while time.monotonic() - start < setting.sizes.throughput_seconds:
                walls.append(run().wall)
            results.put((walls, time.monotonic() - start, process.cpu_seconds(pid) - cpu))
    except Exception as error:  # whatever it is, the parent tells it
        begin.abort()
        results.put(f"{case.name}: {side.name}: {error!r}")


def _host(setting, case, width):
    seen = {side.name: [] for side in setting.sides}
    with tempfile.TemporaryDirectory() as folder:
        prepares = {side.name: hosts.prepare_script(setting, side, case, folder)
                    for side in setting.sides}
        for _, side in sample.turns(setting.sizes.throughput_rounds, setting.sides):
            said = hosts.reference_run(setting, side, case, prepares[side.name],
                                       setting.sizes.throughput_jobs * len(width), 2 * len(width),
                                       len(width), cores=width)
            seen[side.name].append({"per_s": said["per_s"], "p50": said["p50_ms"],
                                    "p99": said["p99_ms"]})
    return _row(setting, case, "the reference's host", width, seen)
