#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""quick_test.py BUILD: bench/run measures every part, for every side, and gives no figure when a
result is wrong.  No time is judged.  Without the reference only our side is measured."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
DATA = os.path.join(ROOT, "tests", "data")
sys.path.insert(0, os.path.join(ROOT, "tests", "integration"))
import reference  # noqa: E402

ALWAYS = {"floors", "prepares", "jobs", "pov", "our_host", "spawn", "cold", "memory", "throughput",
          "drift"}
# These may be unknown: what a side does not report, and a difference that may be negative.
OPEN = {"peak_rss", "minus"}
faults = []


def expect(what, got, want):
    if got != want:
        faults.append(what)
        print(f"FAIL {what}: {got}, expected {want}", flush=True)


def run(build, *words):
    return subprocess.run([sys.executable, os.path.join(HERE, "run"), "--build", build, "--quick",
                           *words], capture_output=True, text=True, timeout=600, check=False)


def numbers(place, value):
    """Every figure is there and above 0; small code has no first tier."""
    if value is None and "first tier" in place:
        return
    if isinstance(value, dict):
        for key, each in value.items():
            if key not in OPEN:
                numbers(f"{place}/{key}", each)
    elif isinstance(value, list):
        expect(f"{place} is not empty", bool(value), True)
        for at, each in enumerate(value):
            numbers(f"{place}/{at}", each)
    elif not isinstance(value, str):
        # No page may be one process's alone, and a short run may end before the clock of CPU ticks.
        least = 0 if place.endswith(("/private", "/cpu_ms")) else 1e-12
        expect(f"{place} is a figure", isinstance(value, (int, float)) and value >= least, True)


def whole(build, sides):
    with tempfile.TemporaryDirectory() as folder:
        words = ["--corpus", DATA, "--cases", "adder", "--out", folder, "--markdown"]
        done = run(build, *words, *([] if len(sides) > 1 else ["--ours-only"]))
        expect("exit status", (done.returncode, done.stderr[-500:] if done.returncode else ""),
               (0, ""))
        if done.returncode != 0:
            return
        with open(os.path.join(folder, "bench.json"), encoding="utf-8") as file:
            report = json.load(file)
        for name in report["plots"]:
            root = xml.parse(os.path.join(folder, name)).getroot()
            expect(f"{name}: drawn", root.tag.endswith("svg") and len(root) > 5, True)
        with open(os.path.join(folder, "bench.md"), encoding="utf-8") as file:
            expect("the page is what was printed", file.read().strip(), done.stdout.strip())
    expect("sides", report["sides"], sides)
    lacking = ALWAYS - set(report["parts"])
    # What a kernel does not tell of other processes is left out.
    expect("parts", lacking - {"memory"}, set())
    numbers("", report["parts"])
    for part in ("jobs", "pov", "spawn"):
        for row in report["parts"][part]:
            expect(f"{part}: sides", set(sides) <= set(row["sides"]), True)
            expect(f"{part}: ratio", "ratio" in row, len(sides) > 1)
    for line in done.stdout.splitlines():
        if line.startswith("| "):
            expect(f"an empty cell: {line}", "|  |" in line, False)
    print(done.stdout)


def wrong(build):
    """A result that is not the expected one: status 1, no table."""
    with tempfile.TemporaryDirectory() as corpus:
        folder = os.path.join(corpus, "adder")
        shutil.copytree(os.path.join(DATA, "adder"), folder)
        path = os.path.join(folder, "expected_result.scale")
        with open(path, "r+b") as file:
            file.write(bytes([file.read(1)[0]]))
            file.seek(40)
            file.write(b"another result")
        out = os.path.join(corpus, "out")
        for part in ("jobs", "throughput", "our_host", "cold"):
            # Floors come first and are right: nothing stays of them.
            done = run(build, "--corpus", corpus, "--only", f"floors,{part}", "--ours-only",
                       "--out", out)
            expect(f"{part}: files with a wrong result", os.listdir(out), [])
            expect(f"{part}: status with a wrong result", (done.returncode, done.stdout), (1, ""))
            expect(f"{part}: says so", "no figures" in done.stderr, True)


def usage(build):
    for words in (["--only", "nothing"], ["--cases", "nobody"], ["--reference", DATA]):
        done = run(build, *words)
        expect(f"{words}: no figures", (done.returncode != 0, done.stdout), (True, ""))
    expect("how to get the reference", "--ours-only" in done.stderr, True)


def main():
    build = os.path.abspath(sys.argv[1])
    theirs, why = reference.find(os.path.join(build, "reference"))
    print(f"with the reference: {why or 'yes'}")
    whole(build, ["pvf", "reference"] if theirs else ["pvf"])
    wrong(build)
    usage(build)
    print(f"{len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
