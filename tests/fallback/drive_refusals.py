#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""drive_refusals.py PROBE_WORKER DENY_SYSCALL

Starts the real workers (with jobs as in tests/sandbox/probe_worker.c) where the kernel refuses a
call that a mechanism needs.  In strict mode the worker must end its start with exit 1 and name the
mechanism; otherwise it goes on without it, says so, and jobs run, except without the change of the
root, after which files would be elsewhere than the host believes.  Calls for which there is a
second way must not be missed at all.

Exit status 0 when all is as expected, 77 when a mechanism is missing on this machine anyway, which
is a failure with PVF_SANDBOX_MUST_WORK=1."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "sandbox"))
import rig  # noqa: E402
from rig import FLAGS  # noqa: E402

ROOT = "change-root"
# Refused calls, the errors, the mechanism as the log names it, and what the check of it is called;
# `must`: it ends the start in any mode.
REFUSED = (
    ("landlock_create_ruleset", ("ENOSYS", "EOPNOTSUPP", "EPERM"), "landlock", "landlock", False),
    ("landlock_add_rule", ("EINVAL",), "landlock", None, False),
    ("landlock_restrict_self", ("E2BIG",), "landlock", "landlock", False),
    ("seccomp", ("EINVAL", "ENOSYS", "EFAULT"), "seccomp", "seccomp", False),
    ("capset", ("EPERM",), "capabilities", None, False),
    ("unshare", ("EPERM", "ENOSPC", "EINVAL"), ROOT, ROOT, True),
    ("mount", ("EPERM", "EACCES"), ROOT, ROOT, True),
    ("pivot_root", ("EPERM", "EINVAL"), ROOT, ROOT, True),
    ("umount2", ("EPERM",), ROOT, ROOT, True),
)

# Refused calls that have a second way; some at once, as in old containers.
REPLACED = (
    ("clone3", ("ENOSYS", "EPERM")),
    ("close_range", ("ENOSYS", "EPERM")),
    ("pidfd_send_signal", ("ENOSYS", "EPERM")),
    ("clone3,close_range,pidfd_send_signal", ("ENOSYS",)),
)

# The mechanisms that a host may turn on, without the one that is refused for the whole program.
MODES = {"strict": FLAGS, "not strict": FLAGS[1:]}


class Faults:
    def __init__(self):
        self.good, self.bad = 0, 0

    def check(self, name, got, want):
        if got == want:
            self.good += 1
        else:
            self.bad += 1
            print(f"FAIL {name}: {got}, expected {want}", flush=True)


def jobs_run(worker):
    """How a job that never ends is ended; the worker's end."""
    over = worker.ask_probe("ignore-signals", seconds=0.1).removeprefix("Job")
    return over, worker.end().rpartition(", ")[2]


def ends_with_its_job(worker):
    """What becomes of worker and job where the one can kill the other in no way."""
    try:
        worker.ask_probe("ignore-signals", seconds=0.1)
    except rig.Silent:
        pass
    exits = worker.exits()
    jobs = rig.children(os.getpid())
    gone = rig.wait_for(lambda: all(rig.is_gone(pid) for pid in jobs))
    return exits, "the job is gone" if gone else "the job is there"


def refuse(faults, program, deny, kind, calls, error, mechanism, must):
    for mode, on in MODES.items():
        name = f"{kind}, {mode}: {calls} gives {error}"
        worker = rig.Launched(program, kind, (deny, error, calls, "--"))
        try:
            worker.ready(*on)
            if must or mode == "strict":
                faults.check(f"{name}: exit", worker.exits(), "exit 1")
                said = [line for line in worker.log().splitlines() if " error " in line]
                faults.check(f"{name}: the log names it",
                             bool(said) and f"{mechanism}: " in said[-1], True)
            else:
                faults.check(f"{name}: jobs", jobs_run(worker), ("TimedOut", "exit 1"))
                faults.check(f"{name}: the log says so",
                             f"going on without {mechanism}: " in worker.log(), True)
        finally:
            worker.close()


def not_cleared(faults, program, kind):
    """Not the kernel's refusal but the host's mistake: a variable that may be a secret."""
    for mode, on in MODES.items():
        worker = rig.Launched(program, kind, SECRET="x")
        try:
            worker.ready(*on)
            if mode == "strict":
                faults.check(f"{kind}, {mode}: a variable: exit", worker.exits(), "exit 1")
            else:
                faults.check(f"{kind}, {mode}: a variable: jobs", jobs_run(worker),
                             ("TimedOut", "exit 1"))
            faults.check(f"{kind}, {mode}: a variable: the log",
                         "environment: not all env vars were cleared" in worker.log(), True)
        finally:
            worker.close()


def replace(faults, program, deny, kind, calls, error):
    for on in (FLAGS, ("strict", "seccomp"), ()):
        name = f"{kind}, {', '.join(on) or 'nothing'} on: {calls} gives {error}"
        worker = rig.Launched(program, kind, (deny, error, calls, "--"))
        try:
            worker.ready(*on)
            end = worker.ask_probe("socket")
            faults.check(f"{name}: a job", end, "SIGSYS" if "seccomp" in on else "done")
            if "pidfd_send_signal" in calls and "seccomp" in on:
                faults.check(f"{name}: end", ends_with_its_job(worker),
                             ("exit 1", "the job is gone"))
                faults.check(f"{name}: the log", "cannot be killed" in worker.log(), True)
            else:
                faults.check(f"{name}: jobs", jobs_run(worker), ("TimedOut", "exit 1"))
                faults.check(f"{name}: the log", worker.log(), "")
        finally:
            worker.close()


def no_namespaces(faults, program, deny, kind):
    """The host said that secure clone works, and it does not: this machine's fault, and no more."""
    worker = rig.Launched(program, kind, (deny, "EPERM", "clone3,clone:namespaces", "--"))
    try:
        worker.ready("secure-clone")
        want = "InternalError/Kernel" if kind == "execute" else "Kernel"
        got = worker.ask_probe("socket"), worker.ask_probe("socket")
        faults.check(f"{kind}: no namespaces for jobs", got, (want, want))
        faults.check(f"{kind}: end", worker.end().rpartition(", ")[2], "exit 1")
    finally:
        worker.close()


def check_says(faults, program, deny, calls, error, mechanism, want):
    code, why = rig.check(program, mechanism, (deny, error, calls, "--"))
    faults.check(f"check of {mechanism}: {calls} gives {error}", (code, bool(why)), want)


def run(faults, program, deny):
    for calls, errors, mechanism, check, must in REFUSED:
        for error in errors:
            if check is not None:
                check_says(faults, program, deny, calls, error, check, (255, True))
        for kind in ("execute", "prepare"):
            refuse(faults, program, deny, kind, calls, errors[0], mechanism, must)
    check_says(faults, program, deny, "clone3,clone:namespaces", "EPERM", "secure-clone",
               (255, True))
    check_says(faults, program, deny, "clone3", "ENOSYS", "secure-clone", (0, False))
    for kind in ("execute", "prepare"):
        no_namespaces(faults, program, deny, kind)
        not_cleared(faults, program, kind)
        for calls, errors in REPLACED:
            for error in errors:
                replace(faults, program, deny, kind, calls, error)


def main():
    if len(sys.argv) != 3:
        print(__doc__.partition("\n")[0], file=sys.stderr)
        return 2
    program, deny = (os.path.abspath(path) for path in sys.argv[1:])
    lacking = rig.missing(program)
    if lacking:
        print("; ".join(f"{name} is missing anyway: {why}" for name, why in lacking.items()))
        return 1 if rig.MUST_WORK else 77
    rig.family.adopt_orphans()
    faults = Faults()
    run(faults, program, deny)
    print(f"{faults.good} as expected, {faults.bad} not")
    return 1 if faults.bad else 0


if __name__ == "__main__":
    sys.exit(main())
