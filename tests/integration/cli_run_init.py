#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""cli_run_init PVF WORKERS: `pvf run` as process 1 of a container without an init: what a killed
worker leaves is reaped, signals are passed on, and the exit status is the service's.  And what the
doctor says where process 1 reaps nobody."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

pvf, workers = sys.argv[1:3]
PATIENCE = 300
UNSHARE = ["unshare", "--fork", "--pid", "--mount-proc"]
if os.geteuid() != 0:
    UNSHARE[1:1] = ["--user", "--map-root-user"]
# validate_block is a loop without an end.
ENDLESS = ("0061736d0100000001070160027f7f017e0302010005030100010607017f004180100b072903066d"
           "656d6f727902000b5f5f686561705f6261736503000e76616c69646174655f626c6f636b00000a0a"
           "01080003400c000b000b")
failed = 0


def fail(label, text):
    global failed
    failed += 1
    print(f"FAIL: {label}: {text}")


def stat_of(pid):
    """(name, state, parent) of a process, or None."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        return None
    rest = text[text.rindex(")") + 2:].split()
    return text[text.index("(") + 1:text.rindex(")")], rest[0], int(rest[1])


def below(top):
    """All processes below one, with their names."""
    all_of_them = {int(pid): stat_of(pid) for pid in os.listdir("/proc") if pid.isdigit()}
    found, fresh = {}, [top]
    while fresh:
        parent = fresh.pop()
        for pid, stat in all_of_them.items():
            if stat and stat[2] == parent and pid not in found:
                found[pid] = stat[0]
                fresh.append(pid)
    return found


def wait_until(label, holds):
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            fail(label, "it does not come to be")
            return
        time.sleep(0.02)


def as_process_1(endless):
    cache = tempfile.mkdtemp()
    # pylint: disable=consider-using-with
    service = subprocess.Popen([*UNSHARE, pvf, "run", "--cache", cache, "--workers", workers],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(**request):
        service.stdin.write(json.dumps(request).encode() + b"\n")
        service.stdin.flush()
        return json.loads(service.stdout.readline())

    service.stdout.readline()
    request = {"op": "execute", "id": 1, "code": {"hex": endless}, "kind": "approval",
               "timeout_ms": 86400000,
               "pvd": {"hex": "00" + "00" * 4 + "00" * 32 + "00" * 4}, "pov": {"hex": "00"}}
    service.stdin.write(json.dumps(request).encode() + b"\n")
    while not ask(op="stats")["execute_busy"]:
        pass
    init, = [pid for pid, stat in ((p, stat_of(p)) for p in below(service.pid))
             if stat and stat[2] == service.pid]
    worker, = [pid for pid, name in below(init).items()
               if name.startswith("pvf-execute") and stat_of(stat_of(pid)[2])[0] == "pvf"]
    wait_until("a job", lambda: below(worker))
    family = [worker, *below(worker)]
    os.kill(worker, signal.SIGKILL)
    wait_until("reaped", lambda: all(stat_of(pid) is None for pid in family))
    answer = json.loads(service.stdout.readline())
    if answer.get("id") != 1 or answer.get("reason") not in ("worker death", "job death"):
        fail("killed", answer)
    if "Z" in [stat[1] for stat in map(stat_of, below(init)) if stat]:
        fail("reaped", below(init))
    os.kill(init, signal.SIGTERM)
    if service.wait(timeout=PATIENCE) != 0:
        fail("SIGTERM", f"status {service.returncode}")
    # What the service's end means is passed on.
    wrong = subprocess.run([*UNSHARE, pvf, "run", "--cache", "/proc/no"], timeout=PATIENCE,
                           stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if wrong.returncode != 4:
        fail("status", wrong)
    shutil.rmtree(cache)


def doctor_warns():
    """A shell that only waits for its own child is no init; one that waits for all is."""
    for name, reaps in (("stay", False), ("go", True)):
        run = f"import os, subprocess, sys\np = subprocess.Popen(sys.argv[1:])\n" + (
            "while os.wait()[0] != p.pid: pass" if reaps else
            "os.waitid(os.P_PID, p.pid, os.WEXITED)")
        for _ in range(5):  # On a busy machine even an init may be late.
            done = subprocess.run([*UNSHARE, sys.executable, "-c", run, pvf, "doctor", "--json"],
                                  env={**os.environ, "PVF_WORKERS": workers}, timeout=PATIENCE,
                                  stdout=subprocess.PIPE, check=False)
            report = json.loads(done.stdout)
            if report["machine"]["orphans_stay"] != reaps:
                break
        warned = any("nobody reaps orphans" in text for text in report["warnings"])
        if report["machine"]["orphans_stay"] == reaps or warned == reaps:
            fail(name, report["warnings"])


def main():
    if shutil.which("unshare") is None or subprocess.run(
            [*UNSHARE, "true"], capture_output=True, check=False).returncode != 0:
        print("not run: no process namespace can be made here")
        return 77
    as_process_1(ENDLESS)
    doctor_warns()
    print(f"{failed} faults" if failed else "all as it should be")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
