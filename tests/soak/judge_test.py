#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""judge_test.py: the judge of the soak test finds what is wrong, and lets pass what is explained."""
import collections
import os
import random
import sys
import types

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import soak  # noqa: E402
from parts.faults import Fault  # noqa: E402
from parts.judge import Judge  # noqa: E402
from parts.load import Load  # noqa: E402
from parts.service import Attempt  # noqa: E402

CODE = types.SimpleNamespace(hash=b"code", path="code", size=1)
KILL = Fault("kill job", 1.5, 1.6, 7, None)
AGAIN = Fault("kill job", 3.5, 3.6, 7, None)
OTHER = Fault("kill job", 1.5, 1.6, 8, None)
LATE = Fault("kill job", 9.0, 9.1, 7, None)
FLIP = Fault("flip artifact", 1.5, 1.6, None, b"code")
ELSE = Fault("flip artifact", 1.5, 1.6, None, b"other")
FULL = Fault("full disk", 1.5, 3.0, None, None)

# verdict and reason; what the request was; the faults; may it pass?
CASES = (
    ("possibly invalid", "job death", {}, (), False),
    ("possibly invalid", "job death", {}, (KILL,), True),
    ("possibly invalid", "job death", {}, (OTHER,), False),
    ("internal", "kernel", {}, (KILL,), True),
    ("internal", "kernel", {}, (), False),
    ("possibly invalid", "kernel", {}, (KILL,), False),
    ("possibly invalid", "job death", {}, (LATE,), False),
    ("possibly invalid", "job death", {}, (FLIP,), False),
    ("possibly invalid", "job death", {"retry": True}, (KILL,), False),
    ("internal", "job death", {"retry": True, "kind": "backing"}, (KILL,), True),
    ("invalid", "job death", {"retry": True}, (KILL,), False),
    ("invalid", "job death", {"retry": True}, (KILL, AGAIN), True),
    ("invalid", "job death", {"retry": True, "kind": "backing"}, (KILL, AGAIN), False),
    ("invalid", "job death", {}, (KILL, AGAIN), False),
    ("invalid", "reported invalid", {"retry": True}, (KILL, AGAIN), False),
    ("invalid", "hard timeout", {"expected": None}, (KILL, AGAIN), False),
    ("possibly invalid", "job error", {}, (KILL, FLIP, FULL), False),
    ("possibly invalid", "corrupted artifact", {}, (FLIP,), True),
    ("possibly invalid", "corrupted artifact", {}, (ELSE, KILL), False),
    ("possibly invalid", "preparation", {}, (FULL,), False),
    ("internal", "preparation", {}, (FULL,), True),
    ("internal", "preparation", {}, (KILL,), False),
    ("internal", "preparation", {"kind_of_worker": "prepare"}, (KILL,), True),
    ("internal", "worker start", {}, (KILL,), False),
    ("internal", "worker start", {}, (FULL,), True),
    ("internal", "self-test", {}, (KILL,), False),
    ("internal", "self-test", {"job": 99}, (KILL,), True),
    ("internal", "cancelled", {}, (KILL,), False),
    ("internal", "cancelled", {"cancels": [1]}, (), True),
    ("expired", "expired", {}, (FULL,), False),
    ("expired", "expired", {"deadline_ms": 3000}, (), True),
    ("expired", "expired", {"deadline_ms": 5000}, (), False),
    ("expired", "expired", {"leaf": "a", "leaves": {"b"}}, (), True),
    ("expired", "expired", {"leaf": "a", "leaves": {"a"}}, (), False),
)


def passes(verdict, reason, said, faults):
    load = Load(random.Random(1), [], [CODE], 1)
    request = types.SimpleNamespace(
        op="execute", number=1, sent=1.0, answered=5.0, code=CODE, kind=said.get("kind", "dispute"),
        retry=said.get("retry", False), deadline_ms=said.get("deadline_ms"),
        leaf=said.get("leaf"), cancels=said.get("cancels", []),
        input=types.SimpleNamespace(name="one", code=CODE, expected=said.get("expected", "0x00")),
        answer={"verdict": verdict, "reason": reason, "job": 4})
    load.odd.append(request)
    load.jobs[4] = request
    load.leaves = [[0.0, float("inf"), said["leaves"]]] if "leaves" in said else []
    job, kind = said.get("job", 4), said.get("kind_of_worker", "execute")
    first, second = Attempt(job, kind, 7, 1.4), Attempt(job, kind, 7, 3.4)
    first.end = 3.4
    return not list(Judge(load, [first, second], faults).all())


def grows(what):
    """Samples of a run in which one thing grows."""
    test = soak.Soak.__new__(soak.Soak)
    test.load = types.SimpleNamespace(faults=[])
    test.fault = test.load.faults.append
    test.samples = []
    for i in range(9):
        more = collections.Counter({what: i})
        test.samples.append({
            "pss_kib": 20000 + 5000 * more["host memory"],
            "descriptors": 20 + more["host descriptors"],
            "workers": {7: {"kind": "execute", "pss_kib": 9000 + 30000 * more["worker memory"],
                            "descriptors": 10 + 10 * more["worker descriptors"],
                            "below": 3 + 3 * more["processes"]}}})
    test.judge_samples()
    return bool(test.load.faults)


failed = [case for case in CASES if passes(*case[:4]) != case[4]]
for case in failed:
    print(f"FAIL: {case[0]}, {case[1]}, {case[2]}, {[f.what for f in case[3]]}: "
          f"{'must' if case[4] else 'must not'} pass")
for thing in ("host memory", "host descriptors", "worker memory", "worker descriptors",
              "processes", "nothing"):
    if grows(thing) != (thing != "nothing"):
        failed.append(thing)
        print(f"FAIL: growing: {thing}")
print(f"{len(failed)} faults" if failed else f"all {len(CASES)} cases are judged right")
sys.exit(1 if failed else 0)
