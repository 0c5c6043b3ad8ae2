#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare.py --ours PREPARE EXECUTE --reference PREPARE EXECUTE --corpus FOLDER [--runs N]
              [--prepares N] [--case NAME ...] [--json FILE] [--security BITS]

Two pairs of workers, side by side in one run: the same requests, alternating, so that whatever
else the machine does hits both.  For each case, the median of

  prepare CPU    CPU seconds of the prepare job, from its answer
  prepare wall   seconds between request and answer
  peak memory    bytes that the compiler asked for at once, from its answer
  artifact       bytes of the artifact file
  job wall       milliseconds between an execute request and its answer (artifact linked before)
  job CPU        milliseconds of CPU of the execute job, from its answer

and the ratio reference / ours (above 1: ours is better).  Results are checked: a job that does
not return the expected bytes ends the run.  Without --reference only ours is measured."""
import argparse
import json
import os
import platform
import statistics
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "tests", "integration"))
import corpus_wire as wire  # noqa: E402

CASES = ("adder", "shell-2021", "collectives-polkadot-empty", "westend-bulletin-empty",
         "westend-bulletin-transfers", "summit-people-empty", "summit-people-transfers")


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class Side:
    """One pair of workers and what was measured on it."""

    def __init__(self, name, programs, security, scratch):
        self.name = name
        self.prepare_worker = wire.Worker(programs[0], "prepare", security)
        self.execute_worker = wire.Worker(programs[1], "execute", security)
        self.execute_worker.send(b"\0")
        self.scratch = scratch
        self.prepared = {}

    def close(self):
        self.prepare_worker.close()
        self.execute_worker.close()

    def prepare(self, code):
        answer = wire.prepare(self.prepare_worker, wire.read_file(code))
        if answer.cls != "Ok":
            raise SystemExit(f"{self.name} cannot prepare {code}: {answer.cls} {answer.text}")
        path = os.path.join(self.scratch, f"{self.name}-{os.path.basename(code)}.pvf")
        if not os.path.exists(path):
            # One file for all jobs, as a host's cache has it: another inode is another artifact.
            with open(path, "wb") as file:
                file.write(answer.artifact)
        entry = self.prepared.setdefault(
            code, {"path": path, "checksum": answer.checksum, "cpu": [], "wall": [],
                   "peak": [], "size": len(answer.artifact)})
        entry["cpu"].append(answer.cpu)
        entry["wall"].append(answer.wall)
        entry["peak"].append(answer.peak)
        return entry

    def execute(self, code, params, expected):
        entry = self.prepared[code]
        answer = wire.execute(self.execute_worker, entry["path"], entry["checksum"], params)
        if answer.cls != "Ok" or answer.result != expected:
            raise SystemExit(f"{self.name} gives {answer.cls} {answer.text} or another result")
        return answer


def measure(sides, name, folder, code, options):
    params = wire.Params.split(wire.read_file(folder, "validation_params.scale"))
    expected = wire.read_file(folder, "expected_result.scale")
    for run in range(0 if code in sides[0].prepared else options.prepares):
        for side in sides if run % 2 == 0 else sides[::-1]:
            side.prepare(code)
    wall = {side.name: [] for side in sides}
    cpu = {side.name: [] for side in sides}
    for side in sides:  # the first job reads the artifact; a validator's worker is warm
        side.execute(code, params, expected)
    for run in range(options.runs):
        for side in sides if run % 2 == 0 else sides[::-1]:
            answer = side.execute(code, params, expected)
            wall[side.name].append(answer.wall * 1e3)
            cpu[side.name].append(answer.cpu * 1e3)
    row = {"case": name, "code_bytes": os.path.getsize(code)}
    for side in sides:
        entry = side.prepared[code]
        row[side.name] = {
            "prepare_cpu_s": statistics.median(entry["cpu"]),
            "prepare_wall_s": statistics.median(entry["wall"]),
            "prepare_peak_bytes": statistics.median(entry["peak"]),
            "artifact_bytes": entry["size"],
            "job_wall_ms_p50": statistics.median(wall[side.name]),
            "job_wall_ms_p99": percentile(wall[side.name], 0.99),
            "job_cpu_ms_p50": statistics.median(cpu[side.name]),
        }
    if len(sides) == 2:
        ours, reference = row[sides[0].name], row[sides[1].name]
        row["ratio"] = {key: reference[key] / ours[key] for key in ours if ours[key] > 0}
    return row


COLUMNS = (("prepare_cpu_s", "prepare CPU s", "{:.2f}"),
           ("prepare_wall_s", "prepare wall s", "{:.2f}"),
           ("prepare_peak_bytes", "peak memory MB", "{:.0f}"),
           ("artifact_bytes", "artifact MB", "{:.2f}"),
           ("job_wall_ms_p50", "job p50 ms", "{:.2f}"),
           ("job_wall_ms_p99", "job p99 ms", "{:.2f}"),
           ("job_cpu_ms_p50", "job CPU ms", "{:.2f}"))


def shown(key, form, value):
    return form.format(value / 1e6 if key.endswith("_bytes") else value)


def table(rows, sides):
    """A Markdown table: one line per case; ours, the reference, and the ratio in each cell."""
    lines = ["| case | " + " | ".join(title for _, title, _ in COLUMNS) + " |",
             "|---|" + "---|" * len(COLUMNS)]
    for row in rows:
        cells = [row["case"]]
        for key, _, form in COLUMNS:
            cell = " / ".join(shown(key, form, row[side.name][key]) for side in sides)
            if key in row.get("ratio", ()):
                cell += f" ({row['ratio'][key]:.2f} ×)"
            cells.append(cell)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("--ours", nargs=2, required=True, metavar=("PREPARE", "EXECUTE"))
    parser.add_argument("--reference", nargs=2, metavar=("PREPARE", "EXECUTE"))
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--case", action="append", help="a candidate; may be repeated")
    parser.add_argument("--runs", type=int, default=100, help="execute jobs per side and case")
    parser.add_argument("--prepares", type=int, default=5, help="prepares per side and code")
    parser.add_argument("--json", help="also write the figures to this file")
    parser.add_argument("--security", default="00000", help="the handshake's five flags")
    options = parser.parse_args()
    if options.runs < 1 or options.prepares < 1:
        parser.error("--runs and --prepares must be at least 1")
    wanted = options.case or CASES
    found = {c[0]: c for c in wire.candidates(options.corpus)}
    missing = [name for name in wanted if name not in found]
    if missing:
        parser.error(f"{options.corpus} has no candidate {', '.join(missing)}")
    security = bytes(int(bit) for bit in options.security)
    with tempfile.TemporaryDirectory() as scratch:
        sides = [Side("ours", options.ours, security, scratch)]
        if options.reference:
            sides.append(Side("reference", options.reference, security, scratch))
        try:
            rows = []
            for name in wanted:
                rows.append(measure(sides, *found[name], options))
                print(f"{name} measured", file=sys.stderr, flush=True)
        finally:
            for side in sides:
                side.close()
    machine = f"{os.cpu_count()} processors, {platform.system()} {platform.release()}"
    print(f"ours / reference (reference ÷ ours); medians of {options.prepares} prepares and "
          f"{options.runs} jobs, alternating; {machine}\n")
    print(table(rows, sides))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"machine": machine, "runs": options.runs, "prepares": options.prepares,
                       "cases": rows}, file, indent=1)
            file.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
