#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""cli_bench PVF WORKERS DATA: `pvf bench` measures what it says, in every form, and refuses to
measure what is wrong.  No figure is judged."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

pvf, workers, data = sys.argv[1:4]
ADDER = os.path.join(data, "adder")
FIGURES = {"job_wall_us_p50", "job_wall_us_p99", "job_wall_us_min", "job_cpu_us_p50",
           "job_cpu_us_min", "job_peak_rss", "prepare_wall_us_p50", "prepare_cpu_us_p50",
           "prepare_peak_rss", "prepare_peak_heap", "artifact_bytes"}
failed = 0


def bench(status, *arguments):
    """What it prints on standard output, or on standard error when it fails."""
    global failed
    run = subprocess.run([pvf, "bench", "--workers", workers, *arguments], capture_output=True,
                         text=True, timeout=600, check=False)
    if run.returncode != status or (status != 0 and run.stdout):
        failed += 1
        print(f"FAIL: {arguments}: status {run.returncode}, not {status}: {run.stdout}{run.stderr}")
    return run.stdout if status == 0 else run.stderr


def says(text, *wanted):
    global failed
    for word in wanted:
        if word not in text:
            failed += 1
            print(f"FAIL: {word!r} is not in: {text}")


def check(label, condition, what):
    global failed
    if not condition:
        failed += 1
        print(f"FAIL: {label}: {what}")


def main():
    quick = ("--runs", "4", "--prepares", "2", "--warm-up", "1")
    programs = ",".join(os.path.join(workers, f"pvf-{kind}-worker")
                        for kind in ("prepare", "execute"))
    # Alone: absolute figures only.
    report = json.loads(bench(0, *quick, "--json", ADDER))
    case = report["cases"][0]
    check("alone", "ratio" not in case and "theirs" not in case, case)
    check("alone", set(case["ours"]) == FIGURES and min(case["ours"].values()) > 0, case)
    check("alone", (case["case"], report["runs"], report["prepares"]) == ("adder", 4, 2), report)
    check("alone", case["ours"]["job_wall_us_min"] <= case["ours"]["job_wall_us_p50"] <=
          case["ours"]["job_wall_us_p99"], case)
    # The same programs on both sides, in two cases; the artifact is the same.
    report = json.loads(bench(0, *quick, "--json", "--against", programs, "--no-fence", ADDER,
                              ADDER + "/"))
    check("pair", [side["name"] for side in report["sides"]] == ["ours", "theirs"], report)
    check("pair", report["fenced"] is False, report)
    for case in report["cases"]:
        check("pair", set(case["ratio"]) == FIGURES, case)
        check("pair", case["ratio"]["artifact_bytes"] == 1, case)
        for key in FIGURES:
            want = case["theirs"][key] / case["ours"][key]
            check("pair", abs(case["ratio"][key] - want) < 1e-3, (key, case))
    # The second case has the code of the first: these figures are of the same preparations.
    for side in ("ours", "theirs"):
        first, second = (case[side] for case in report["cases"])
        check("same code", all(first[key] == second[key] for key in FIGURES
                               if not key.startswith("job_")), report)
    says(bench(0, *quick, ADDER), "ours only", "adder, 37.4 KiB", "job wall, median",
         "job memory", "artifact")
    says(bench(0, *quick, "--markdown", "--reference", workers, ADDER), "| adder |", "×)")
    # What is wrong.
    says(bench(2, "--runs", "0"), "--runs takes a whole number")
    says(bench(2, "--against", "one"), "two programs with a comma")
    says(bench(2, "--against", programs, "--reference", workers), "exclude each other")
    says(bench(2, "--reference", data, ADDER), "--reference: ")
    says(bench(2, data), "holds no code.wasm")
    says(bench(2, "--executor-params", "0x1", ADDER), "--executor-params: ")
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(os.path.join(ADDER, "code.wasm"), folder)
        says(bench(2, folder), "holds no pvd.scale")
        for name in ("pvd.scale", "block_data.bin"):
            shutil.copy(os.path.join(ADDER, name), folder)
        bench(0, *quick, folder)
        # Without figures when the result is not the expected one, or the candidate is invalid.
        shutil.copy(os.path.join(ADDER, "pvd.scale"), os.path.join(folder, "expected_result.scale"))
        says(bench(4, *quick, folder), "ours gives another result")
        with open(os.path.join(folder, "block_data.bin"), "wb") as file:
            file.write(b"\xff")
        says(bench(4, *quick, folder), "ours says invalid")
    print(f"{failed} faults" if failed else "all as it should be")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
