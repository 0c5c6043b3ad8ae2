#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""drive_probes.py PROBE_WORKER [--table] [--sanitized]

Runs hostile deeds in jobs of the real fence (probe_worker.c) and looks how each ends, in three
steps: outside, in a plain process, where each must be done, since a probe that cannot succeed
proves nothing; inside with everything on, where each must end as expected.py says and leave nothing
behind; and with one mechanism alone, so that none is decoration.  Then every way to end, or not to,
and whatever bytes a job can write: none of it may be an internal error.

--table      prints what each mechanism stops alone, as SANDBOX.md has it
--sanitized  the build has a sanitizer, whose shadow is larger than any limit of memory

Exit status 0 when all is as expected, 77 when a mechanism is missing on this machine, which is a
failure with PVF_SANDBOX_MUST_WORK=1."""
import argparse
import os
import subprocess
import sys

sys.dont_write_bytecode = True
import endings  # noqa: E402
import expected  # noqa: E402
import rig  # noqa: E402


def start(program, kind, on):
    worker = rig.Launched(program, kind).ready(*on)
    rig.put_program(worker)
    worker.ask_probe("look")  # so that the artifact is known from here on
    return worker


class Column:
    """All probes in the jobs of one worker."""

    def __init__(self, program, kind, around, on):
        self.around, self.on, self.kind = around, on, kind
        self.worker = start(program, kind, on)
        self.files, self.fds = self.worker.files(), self.worker.fds()

    def ask(self, name, aim, leaves=False):
        """(how it ends, what it leaves); `leaves`: it is known to leave something."""
        arg = rig.targets(self.worker, self.around, "change-root" in self.on)[aim]
        answer = self.worker.ask_probe(f"{name} {arg}")
        if name.startswith("execute") and answer in ("JobError/Panic", "JobError"):
            answer = "done"  # another program ran, which sends no frame
        patience = 0 if leaves else 30
        return answer, rig.left_behind(self.worker, self.around, self.files, self.fds, patience)

    def close(self):
        self.worker.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def try_outside(tally, program, around, table):
    """Every probe where nothing stops it."""
    with Column(program, "execute", around, ()) as column:
        for name, probe in table.items():
            tally.begin(f"outside: {name}")
            arg = rig.targets(column.worker, around, False)[probe.aim]
            got = rig.outside(program, name, str(arg))
            rig.left_behind(column.worker, around, column.files, column.fds, patience=0)
            if name.startswith("execute") and got == "":
                got = "done"
            if got != "done" and probe.machine:
                tally.note(f"{name} is not possible on this machine anyway: {got or 'it dies'}")
            else:
                tally.check(f"outside: {name}", got, "done")


def try_inside(tally, program, kind, around):
    """Every probe with everything on."""
    with Column(program, kind, around, rig.FLAGS) as column:
        for name, probe in expected.TABLES[kind].items():
            tally.begin(f"{kind}, all on: {name}")
            got, left = column.ask(name, probe.aim)
            tally.check(f"{kind}, all on: {name}", got, probe.full)
            tally.check(f"{kind}, all on: {name}: left behind", left, "")
            if probe.aim == "victim":
                tally.check(f"{kind}, all on: {name}: the victim lives", around.victim_lives(),
                            True)
        tally.check(f"{kind}, all on: end", column.worker.end().rpartition(", ")[2], "exit 1")


def try_alone(tally, program, kind, around, letter, landlock):
    """Every probe with one mechanism, or none; the names of those that it stops."""
    stopped = set()
    on = expected.COLUMNS[letter]
    where = f"{kind}, {on[0] if on else 'always on'} alone"
    with Column(program, kind, around, on) as column:
        for name, probe in expected.TABLES[kind].items():
            tally.begin(f"{where}: {name}")
            leaves = letter in expected.LEAVES.get(name, ())
            got, left = column.ask(name, probe.aim, leaves)
            if got != "done":
                stopped.add(name)
            if expected.stops(probe, letter, landlock):
                tally.check(f"{where}: {name} is stopped", got != "done", True)
            elif got != "done":
                # Nothing is claimed there, and kernels differ.
                tally.note(f"{where}: {name} is stopped as well: {got}")
            tally.check(f"{where}: {name}: left behind", left, "1 processes" if leaves else "")
        look, root = column.worker.ask_probe("look"), column.worker.ask_probe("see-root")
        if letter == "s":
            tally.check(f"{where}: look", (look, root), ("SIGSYS", "SIGSYS"))
        else:
            tally.check(f"{where}: look", look, expected.LOOK + expected.DESCRIPTORS[kind])
        if letter == "r":
            tally.check(f"{where}: how the root is mounted", root, expected.MOUNTED[kind])
    return stopped


def print_table(stopped):
    print("| probe | always on | change root | Landlock | seccomp | secure clone |")
    print("|---|---|---|---|---|---|")
    for name in expected.EXECUTE:
        cells = ["stopped" if name in stopped.get(letter, ()) else "" for letter in "arlsc"]
        print(f"| {name} | {' | '.join(cells)} |")


def check_names(tally, program):
    done = subprocess.run([program, "names"], env={}, capture_output=True, text=True, check=True)
    known = {*expected.EXECUTE, *expected.WIRE, *endings.NAMES, *expected.HIJACKS, "look",
             "see-root"}
    tally.check("every probe is in a table", sorted(set(done.stdout.split()) ^ known), [])


def run(tally, program, lacking):
    """All that this machine can do; what each mechanism stops alone."""
    landlock, stopped = rig.landlock_version(), {}
    with rig.Around(program) as around:
        try_outside(tally, program, around, {**expected.EXECUTE, **expected.WIRE})
        for kind in ("execute", "prepare"):
            for letter, on in expected.COLUMNS.items():
                if not set(on) & set(lacking):
                    found = try_alone(tally, program, kind, around, letter, landlock)
                    stopped.setdefault(letter, found)
            if not lacking:
                try_inside(tally, program, kind, around)
    return stopped


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("program")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--sanitized", action="store_true")
    args = parser.parse_args()
    program = os.path.abspath(args.program)
    rig.family.adopt_orphans()
    tally = rig.Tally(rig.family.Deadline(540))
    check_names(tally, program)
    if args.sanitized:
        expected.without_limit_of_memory()
    lacking = rig.missing(program)
    for mechanism, why in lacking.items():
        print(f"skipped: what needs {mechanism}: {why}")
        if rig.MUST_WORK:
            tally.check(f"{mechanism} works here", why, "")
    stopped = run(tally, program, lacking)
    endings.run_all(tally, program, lacking)
    if args.table:
        print_table(stopped)
    return tally.end() or (77 if lacking else 0)


if __name__ == "__main__":
    sys.exit(main())
