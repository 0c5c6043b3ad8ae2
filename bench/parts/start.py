# SPDX-License-Identifier: Apache-2.0
"""Owns: beginnings: a worker from its start to its first and second job, and a host from its start
to its first verdict after a restart."""
import json
import os
import subprocess
import tempfile
import time

from . import hosts, sample
from .setting import Runner, Wrong


def spawn(setting, cases):
    """From the start of an execute worker to the answers of its first two jobs."""
    rows = []
    for case in cases:
        first = {side.name: [] for side in setting.sides}
        second = {side.name: [] for side in setting.sides}
        for side in setting.sides:
            setting.artifact(side, case.code)
        for _, side in sample.turns(setting.sizes.spawns, setting.sides):
            begin = time.monotonic()
            with Runner(setting, side, case) as run:
                run()
                first[side.name].append(time.monotonic() - begin)
                second[side.name].append(run().wall)
        figures = {name: {**sample.spread(first[name]),
                          "second_p50": sample.median(second[name]) * 1e3} for name in first}
        rows.append({"case": case.name, "sides": figures, **_ratio(setting, figures)})
    return rows


def _ratio(setting, figures):
    if not setting.theirs:
        return {}
    return {"ratio": {"p50": sample.ratio(figures[setting.theirs.name]["p50"],
                                          figures[setting.ours.name]["p50"])}}


def cold(setting, cases):
    """From the start of a host that ran before to its first verdict.  Ours keeps artifacts; the
    reference's begins with none, so that it prepares, and the time is what it says of both."""
    rows = []
    for case in cases:
        seen = {side.name: [] for side in setting.sides}
        with tempfile.TemporaryDirectory() as cache:
            _ours_once(setting, case, cache)
            for _, side in sample.turns(setting.sizes.cold_starts, setting.sides):
                if side is setting.ours:
                    seen[side.name].append(_ours_once(setting, case, cache))
                elif setting.host:
                    said = hosts.reference_run(setting, side, case, side.prepare, 1, 1, 1)
                    seen[side.name].append((said["prepare_ms"] + said["first_ms"]) / 1e3)
        figures = {name: sample.spread(times) for name, times in seen.items() if times}
        compared = _ratio(setting, figures) if len(figures) == 2 else {}
        rows.append({"case": case.name, "sides": figures, **compared})
    return rows


def _ours_once(setting, case, cache):
    request = {"op": "execute", "id": 1, "code": {"path": case.code}, "result": True,
               "pvd": {"path": os.path.join(case.folder, "pvd.scale")},
               "pov": {"path": os.path.join(case.folder, "block_data.bin")}}
    begin = time.monotonic()
    with subprocess.Popen([setting.programs["pvf"], "run", "--cache", cache, "--workers",
                           os.path.dirname(setting.ours.execute)],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as host:
        host.stdin.write(json.dumps(request) + "\n")
        host.stdin.flush()
        host.stdout.readline()
        answer = json.loads(host.stdout.readline())
        wall = time.monotonic() - begin
        host.stdin.close()
    if answer.get("result") != "0x" + case.expected.hex():
        raise Wrong(f"{case.name}: pvf run says {str(answer)[:300]}")
    return wall
