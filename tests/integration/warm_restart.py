#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""warm_restart.py PVF WORKERS [OPTION…]: a host that starts on a warm cache.

Each candidate is executed by a fresh `pvf run` whose cache has all artifacts, as its first request,
sent before it is ready.  Nothing may be compiled, and the verdict must be valid.  Prints medians in
milliseconds: from the start of the process to its first line and to the verdict, the job's own time
on the clock (from its request's first byte to its answer's last), and what the host adds: the
verdict's time less the job's.

  --candidates DIR,DIR…  folders with meta.json, as in the corpus (default: tests/data/adder)
  --other PVF,WORKERS    a second build, by turns with the first, with a cache of its own
  --runs N               of each candidate and build (default 1)
  --realtime             before all else that runs here (needs root), for figures on a busy machine
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE = 600


class Side:
    """A build, and its cache."""

    def __init__(self, name, pvf, workers):
        self.name, self.pvf, self.workers = name, pvf, workers
        self.cache = tempfile.mkdtemp()
        self.times = {}

    def start(self):
        # pylint: disable=consider-using-with
        return subprocess.Popen(
            [self.pvf, "run", "--cache", self.cache, "--workers", self.workers],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, request):
        """(ms to the first line, ms to the answer, the answer, the service's figures)"""
        begin = time.monotonic()
        service = self.start()
        service.stdin.write(request)
        service.stdin.flush()
        service.stdout.readline()
        ready = time.monotonic()
        answer = json.loads(service.stdout.readline())
        end = time.monotonic()
        out, _ = service.communicate(b'{"op": "stats"}\n', timeout=PATIENCE)
        return (ready - begin) * 1e3, (end - begin) * 1e3, answer, json.loads(out)

    def warm(self, candidates):
        service = self.start()
        service.communicate(b"".join(request for _, request in candidates), timeout=PATIENCE)
        if service.returncode != 0:
            sys.exit(f"{self.name}: the cache could not be filled")

    def measure(self, name, request, realtime):
        before = os.sched_getscheduler(0)
        if realtime:  # Children inherit it.
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        ready, verdict, answer, figures = self.ask(request)
        os.sched_setscheduler(0, before, os.sched_param(0))
        if answer.get("verdict") != "valid" or "preparation" in answer or figures["preparations"]:
            sys.exit(f"{self.name}: {name}: {answer}, {figures}")
        job = answer["wall_us"] / 1e3
        self.times.setdefault(name, []).append((ready, verdict, job, verdict - job))


def candidate(folder):
    """(name, line)"""
    with open(os.path.join(folder, "meta.json"), encoding="utf-8") as file:
        code = os.path.join(folder, json.load(file)["pvf"])
    if not os.path.exists(code):  # The corpus names it from its own top.
        code = os.path.join(folder, "..", "..", os.path.relpath(code, folder))
    return os.path.basename(folder), json.dumps({
        "op": "execute", "id": 1, "code": {"path": os.path.abspath(code)}, "kind": "approval",
        "pvd": {"path": os.path.join(folder, "pvd.scale")},
        "pov": {"path": os.path.join(folder, "block_data.bin")}}).encode() + b"\n"


def table(sides, names):
    print("| candidate | build | runs | first line | verdict | job | host adds |\n"
          "|---|---|---|---|---|---|---|")
    for name in names:
        for side in sides:
            rows = side.times[name]
            cells = " | ".join(f"{statistics.median(column):.1f}" for column in zip(*rows))
            print(f"| {name} | {side.name} | {len(rows)} | {cells} |")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("pvf")
    parser.add_argument("workers")
    parser.add_argument("--candidates", default=os.path.join(HERE, "..", "data", "adder"))
    parser.add_argument("--other")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--realtime", action="store_true")
    options = parser.parse_args()
    sides = [Side("this", options.pvf, options.workers)]
    if options.other:
        sides.append(Side("other", *options.other.split(",")))
    candidates = [candidate(os.path.abspath(folder)) for folder in options.candidates.split(",")]
    try:
        for side in sides:
            side.warm([(name, line.replace(b'"id": 1', b'"id": %d' % number))
                       for number, (name, line) in enumerate(candidates)])
        for run in range(options.runs):
            for name, request in candidates:
                for side in sides if run % 2 == 0 else reversed(sides):
                    side.measure(name, request, options.realtime)
    finally:
        for side in sides:
            shutil.rmtree(side.cache)
    table(sides, [name for name, _ in candidates])


if __name__ == "__main__":
    main()
