#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""doctor_run PVF WORKERS DENY_SYSCALL: what `pvf doctor` makes of this machine, of this machine
without user namespaces, and under system-call filters as containers and systemd units have them."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

pvf, workers, deny = sys.argv[1:4]
MECHANISMS = ("landlock", "seccomp", "change-root", "secure-clone")
READY, NOT_READY, USAGE = 0, 6, 2
failed = 0


def fail(label, text):
    global failed
    failed += 1
    print(f"FAIL: {label}: {text}")


def doctor(label, before=(), env=None, arguments=()):
    """The report and the exit code; None when there is no JSON."""
    command = [*before, pvf, "doctor", "--json", "--workers", workers, *arguments]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300,
                         env={**os.environ, **(env or {})}, check=False)
    try:
        report = json.loads(run.stdout)
    except ValueError:
        fail(label, f"no JSON, status {run.returncode}: {run.stdout}{run.stderr}")
        return None
    if report["exit"] != run.returncode or report["ready"] != (run.returncode == READY):
        fail(label, f"status {run.returncode} does not fit the report")
    if report["ready"] != (not report["problems"]):
        fail(label, "ready and problems contradict each other")
    return report


def look(label, report, off, cause, ready=None):
    """Exactly the mechanisms in `off` are off, in both workers, for `cause`."""
    if report is None:
        return
    for worker in ("prepare", "execute"):
        for name in MECHANISMS:
            check = report["checks"][worker].get(name)
            if check is None:
                fail(label, f"the {worker} worker did not run: {report['workers'][worker]}")
                return
            if check["available"] != (name not in off):
                fail(label, f"{worker}, {name}: {check}")
            elif name in off and check["cause"] != cause:
                fail(label, f"{worker}, {name}: wanted {cause}: {check}")
            elif name in off and not (check["why"] and check["remedy"] and check["text"]):
                fail(label, f"{worker}, {name}: no words: {check}")
    if ready is not None and report["ready"] != ready:
        fail(label, f"ready is {report['ready']}: {report['problems']}")


def plain():
    report = doctor("as it is")
    if report is None:
        sys.exit(1)
    missing = {name: check["cause"] for name, check in report["checks"]["prepare"].items()
               if not check["available"]}
    if "not-built" in missing.values():
        fail("as it is", f"the workers lack {missing}")
        sys.exit(1)
    if missing:
        print(f"skipped: this machine itself lacks {missing}, so no filter can be told from it")
        sys.exit(77)
    look("as it is", report, (), None, ready=True)
    if not report["trial"]["ok"] or not report["same_version"]:
        fail("as it is", f"{report['trial']}, same version: {report['same_version']}")


FILTERS = (
    # What the filter does, the calls, what is off, ready (None: decided by more than the checks)
    ("EPERM", "landlock_create_ruleset", ("landlock",), True),
    ("ENOSYS", "landlock_create_ruleset", ("landlock",), True),
    ("EPERM", "landlock_restrict_self", ("landlock",), True),
    ("kill", "landlock_create_ruleset", ("landlock",), True),
    ("EPERM", "seccomp", ("seccomp",), False),
    ("EPERM", "unshare", ("change-root",), True),
    ("EPERM", "unshare,mount", ("change-root",), True),
    ("EPERM", "mount", ("change-root",), True),
    ("EPERM", "pivot_root", ("change-root",), True),
    ("kill", "pivot_root", ("change-root",), True),
    ("EPERM", "landlock_create_ruleset,unshare", ("landlock", "change-root"), False),
    ("ENOSYS", "landlock_create_ruleset,pivot_root", ("landlock", "change-root"), False),
)


def filters():
    for action, calls, off, ready in FILTERS:
        label = f"{action} for {calls}"
        report = doctor(label, before=(deny, action, calls, "--"))
        look(label, report, off, "syscall-filter", ready)
        if report is not None and report["machine"]["seccomp_mode"] != 2:
            fail(label, "the filter was not seen")
        for check in (report or {"checks": {"prepare": {}}})["checks"]["prepare"].values():
            if not check["available"] and (check["signal"] != 0) != (action == "kill"):
                fail(label, f"signal {check['signal']}")


def starts():
    """Filters under which no worker can be started, or none watched."""
    for action, calls in (("EPERM", "pidfd_open"), ("EPERM", "clone3"), ("EPERM", "vfork,clone3")):
        label = f"{action} for {calls}"
        report = doctor(label, before=(deny, action, calls, "--"))
        if report is None:
            continue
        for worker in report["workers"].values():
            if worker["runs"] or worker["cause"] != "syscall-filter":
                fail(label, f"{worker}")


def namespaces_refused():
    """As RestrictNamespaces= of a systemd unit and Docker's own profile have it: clone3 is said not
    to exist, so that the C library takes clone, whose flags a filter can see."""
    label = "RestrictNamespaces=yes"
    report = doctor(label, before=(deny, "EPERM", "unshare,setns,clone:namespaces", "--", deny,
                                   "ENOSYS", "clone3", "--"))
    if report is None:
        return
    look(label, report, ("change-root", "secure-clone"), "syscall-filter")
    if not report["trial"]["made"] or report["ready"] != report["trial"]["ok"]:
        fail(label, f"{report['trial']}, {report['problems']}")


def no_user_namespaces():
    label = "user.max_user_namespaces = 0"
    setting = "/proc/sys/user/max_user_namespaces"
    inside = ("unshare", "--user", "--map-root-user", "sh", "-c",
              f'echo 0 >{setting} || exit 99; exec "$@"', "sh")
    if shutil.which("unshare") is None or subprocess.run((*inside, "true"), check=False,
                                                         capture_output=True).returncode != 0:
        print(f"not run: {label}: no user namespace can be made for it")
        return
    report = doctor(label, before=inside)
    look(label, report, ("change-root", "secure-clone"), "userns-limit", ready=True)
    if report is not None and not report["machine"]["nested_user_namespace"]:
        fail(label, "the nested namespace was not seen")


def files():
    """Programs and folders that are not as they should be."""
    with tempfile.TemporaryDirectory() as top:
        for kind in ("prepare", "execute"):
            shutil.copy(f"{workers}/pvf-{kind}-worker", f"{top}/polkadot-{kind}-worker")
        both = ("--prepare-worker", f"{top}/polkadot-prepare-worker",
                "--execute-worker", f"{top}/polkadot-execute-worker")

        def problem(label, part, arguments=both, env=None):
            report = doctor(label, arguments=arguments, env=env)
            if report is not None and (report["ready"] or
                                       not any(part in one for one in report["problems"])):
                fail(label, f"wanted '{part}': {report['problems']}")
            return report

        os.chmod(top, 0o777)
        problem("a folder that everybody may write", "may be written by everybody")
        os.chmod(top, 0o755)
        os.chmod(f"{top}/polkadot-execute-worker", 0o757)
        problem("a program that everybody may write", "execute worker: ")
        os.chmod(f"{top}/polkadot-execute-worker", 0o644)
        problem("a program that is not executable", "the execute worker does not run")
        os.chmod(f"{top}/polkadot-execute-worker", 0o755)
        # The file names another version for these two; the others keep theirs.
        with open(f"{top}/pvf-node-version", "w", encoding="ascii") as file:
            file.write("9.9.9\n")
        problem("two versions", "install both from one build",
                (*both[:2], "--execute-worker", f"{workers}/pvf-execute-worker"))
        os.chmod(f"{top}/pvf-node-version", 0o666)
        report = doctor("a version file that is not heeded", arguments=both)
        if report is not None and not any("is not heeded" in one for one in report["warnings"]):
            fail("a version file that is not heeded", report["warnings"])

        long = f"{top}/{'x' * 100}"
        os.mkdir(long)
        problem("a long TMPDIR", "no socket can be made", both, {"TMPDIR": long})
        problem("a missing TMPDIR", "it cannot be used", both, {"TMPDIR": f"{top}/nothing"})


def usage():
    for arguments, part in ((("--tsv",), "has no --tsv"), (("somefile",), "takes no file"),
                            (("--prepare-worker", "/nonexistent"), "/nonexistent")):
        run = subprocess.run((pvf, "doctor", "--workers", workers, *arguments), text=True,
                             capture_output=True, check=False)
        if run.returncode != USAGE or part not in run.stderr or run.stdout:
            fail(f"doctor {arguments}", f"status {run.returncode}: {run.stdout}{run.stderr}")


def rows():
    run = subprocess.run((deny, "EPERM", "seccomp", "--", pvf, "doctor", "--workers", workers),
                         text=True, capture_output=True, check=False)
    for part in ("seccomp            OFF\n", "  cause            a system-call filter",
                 "  remedy           ", "PROBLEM            ", "NOT READY"):
        if part not in run.stdout:
            fail("for people", f"lacks '{part}':\n{run.stdout}")


plain()
filters()
starts()
namespaces_refused()
no_user_namespaces()
files()
usage()
rows()
print("all cases passed" if failed == 0 else f"{failed} cases failed")
sys.exit(1 if failed else 0)
