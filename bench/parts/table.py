# SPDX-License-Identifier: Apache-2.0
"""Owns: the report as a page: one table for each part, as text or markdown, and the plots."""
import os

from . import plot, sample

MIB = 1 << 20


def _number(value, digits=2):
    return "-" if value is None else f"{value:.{digits}f}"


def _times(value):
    return "-" if value is None else f"{value:.2f} ×"




class Page:
    def __init__(self, markdown):
        self.markdown, self.parts = markdown, []

    def table(self, title, note, head, rows):
        rows = [[str(cell) for cell in row] for row in rows]
        self.parts.append(f"### {title}\n" if self.markdown else f"{title}\n{'=' * len(title)}")
        if note:
            self.parts.append(note + "\n")
        if self.markdown:
            lines = ["| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]]
        else:
            widths = [max(len(row[at]) for row in [head, *rows]) for at in range(len(head))]
            lines = ["  ".join(cell.ljust(width) if at == 0 else cell.rjust(width)
                               for at, (cell, width) in enumerate(zip(row, widths)))
                     for row in [head, *rows]]
        self.parts.append("\n".join(lines) + "\n")

    def text(self):
        return "\n".join(self.parts)


def _jobs(page, title, note, rows, names):
    head = ["case"]
    for name in names:
        head += [f"{name} p50", "p99", "min"]
    head += ["alone p50", "p99", "min", "job − alone p50", "p99", "min", "client's floor",
             *(["ratio p50", "p99", "min"] if len(names) == 2 else [])]
    body = []
    for row in rows:
        sides, cells = row["sides"], [row["case"]]
        for name in names:
            cells += [_number(sides[name][key]) for key in ("p50", "p99", "min")]
        cells += [_number(sides["alone"][key]) for key in ("p50", "p99", "min")]
        cells += [_number(row["minus"][key]) for key in ("p50", "p99", "min")]
        cells.append(_number(sides["floor"]["p50"]))
        if len(names) == 2:
            cells += [_times(row["ratio"][key]) for key in ("p50", "p99", "min")]
        body.append(cells)
    page.table(title, note, head, body)


def _costs(page, rows, names):
    head = ["case", "PoV KiB", *(f"CPU ms, {name}" for name in names),
            *(["ratio"] if len(names) == 2 else []), *(f"page faults, {name}" for name in names)]
    page.table("What a job costs", "CPU: as the worker reports it, median. Page faults: of the "
               "worker and its jobs, mean.", head,
               [[row["case"], _number(row["pov"] / 1024, 1),
                 *(_number(row["sides"][name]["cpu_p50"]) for name in names),
                 *([_times(row["ratio"]["cpu_p50"])] if len(names) == 2 else []),
                 *(_number(row["sides"][name]["faults"], 0) for name in names)]
                for row in rows])


def _reference_host(page, rows, names, alone):
    head = ["case"]
    for name in names:
        head += [f"{name} p50", "p99", "min"]
    head += ["floor p50", "min", "job − floor − alone p50", "min"]
    head += ["ratio p50", "p99", "min"] if len(names) == 2 else []
    body = []
    for row in rows:
        sides, cells = row["sides"], [row["case"]]
        for name in names:
            cells += [_number(sides[name][key]) for key in ("p50", "p99", "min")]
        block = alone.get(row["case"])
        cells += [_number(sides["floor"][key]) for key in ("p50", "min")]
        cells += [_number(None if block is None else
                          sides[names[0]][key] - sides["floor"][key] - block[key])
                  for key in ("p50", "min")]
        if len(names) == 2:
            cells += [_times(row["ratio"][key]) for key in ("p50", "p99", "min")]
        body.append(cells)
    page.table("Through the reference's host (ms)",
               "One job at a time, one worker; medians of short runs by turns. Floor: a "
               "worker that answers at once.", head, body)


def _our_host(page, rows, names):
    keys = ("job_wall_us_p50", "job_wall_us_p99", "job_wall_us_min", "job_cpu_us_p50")
    ends = ("ours", "theirs")[:len(names)]
    head = ["case"]
    for name in names:
        head += [f"{name} p50", "p99", "min", "CPU", "memory MB"]
    head += ["ratio p50", "p99", "min", "memory"] if len(names) == 2 else []
    body = []
    for row in rows:
        cells = [row["case"]]
        for end in ends:
            cells += [_number(row[end][key] / 1e3) for key in keys]
            cells += [_number(row[end].get("job_peak_rss", 0) / 1e6, 0)]
        if len(names) == 2:
            cells += [_times(row["ratio"].get(key)) for key in
                      ("job_wall_us_p50", "job_wall_us_p99", "job_wall_us_min", "job_peak_rss")]
        body.append(cells)
    page.table("Through our host (ms)", "`pvf bench`; memory: the largest resident set of any "
               "process of a job.", head, body)


def _prepares(page, rows):
    names = list(rows[0]["sides"])
    head = ["code", "KiB"]
    for name in names:
        head += [f"{name}: CPU s", "wall s"]
    measured = [name for name in names if "peak_heap" in rows[0]["sides"][name]]
    for name in measured:
        head += [f"{name}: artifact MB", "heap MB", "resident MB", "faults"]
    body = []
    for row in rows:
        cells = [row["code"], _number(row["bytes"] / 1024, 0)]
        for name in names:
            cells += [_number(row["sides"][name][key]) for key in ("cpu_s", "wall_s")]
        for name in measured:
            figures = row["sides"][name]
            cells += [_mega(figures["artifact"], 2), _mega(figures["peak_heap"], 0),
                      _mega(figures["peak_rss"], 0),
                      _number(figures["faults"], 0)]
        body.append(cells)
    page.table("Preparation", "Medians. Engine alone: the compilation, on one thread, without "
               "process, decompression, checks and writing.", head, body)
    if "reference" in names:
        _prepare_ratios(page, rows, [name for name in names if name != "reference"])


def _mega(value, digits):
    return _number(None if value is None else value / 1e6, digits)


def _prepare_ratios(page, rows, names):
    """Ours over the reference's: below 1, ours is better."""
    keys = ("cpu_s", "wall_s", "artifact", "peak_heap", "peak_rss")
    head, body = ["ours / reference", *names], []
    for key in keys:
        cells = [key]
        for name in names:
            # Small code has no first tier: nothing of it is known.
            pairs = [(row["sides"][name].get(key), row["sides"]["reference"][key]) for row in rows
                     if row["sides"][name]["cpu_s"]]
            good = pairs and all(a and b for a, b in pairs)
            cells.append(_number(sample.geometric([a / b for a, b in pairs]) if good else None, 3))
        body.append(cells)
    page.table("Preparation, geometric mean over all codes",
               "Below 1, ours is better. First tier: of those codes that have one.", head, body)


def _starts(page, title, note, rows, names):
    head = ["case", *(f"{name} p50" for name in names),
            *(f"{name}, second job" for name in names if "second_p50" in rows[0]["sides"][name]),
            "ratio"]
    body = []
    for row in rows:
        sides = row["sides"]
        body.append([row["case"],
                     *(_number(sides[name]["p50"]) if name in sides else "-" for name in names),
                     *(_number(sides[name]["second_p50"]) for name in names
                       if "second_p50" in rows[0]["sides"].get(name, {})),
                     _times(row.get("ratio", {}).get("p50"))])
    page.table(title, note, head, body)


def _memory(page, rows):
    page.table("Memory of a warm worker that waits (MiB)",
               "PSS: pages that processes share are divided among them.",
               ["case", "side", "process", "PSS", "private"],
               [[row["case"], row["side"], row["process"], _number(row["pss"] / MIB),
                 _number(row["private"] / MIB)] for row in rows])


def _throughput(page, rows, names):
    head = ["case", "through", "cores"]
    for name in names:
        head += [f"{name} jobs/s", "p50 ms", "p99 ms", "CPU ms a job"]
    head += ["ratio"] if len(names) == 2 else []
    body = []
    for row in rows:
        cells = [row["case"], row["through"], row["cores"]]
        for name in names:
            figures = row["sides"][name]
            cells += [_number(figures["per_s"], 1), _number(figures["p50"]),
                      _number(figures["p99"]), _number(figures.get("cpu_ms"))]
        if len(names) == 2:
            cells.append(_times(row["ratio"]["per_s"]))
        body.append(cells)
    page.table("Throughput", "One worker a core. CPU: of the worker and all below it.", head, body)


def _drift(page, drift):
    body = []
    for name, blocks in drift["sides"].items():
        for label, block in (("first", blocks[0]), ("last", blocks[-1])):
            body.append([name, label, _number(block["p50"]), _number(block["p99"]),
                         _number(block["pss"] / MIB), block["processes"], block["descriptors"]])
    page.table(f"Drift over {drift['jobs']} jobs ({drift['case']})",
               "The first and the last twentieth of the jobs.",
               ["side", "block", "p50 ms", "p99 ms", "PSS MiB", "processes", "descriptors"], body)


def render(report, markdown):
    page, parts = Page(markdown), report["parts"]
    names = report["sides"]
    machine = report["machine"]
    page.parts.append(
        f"{report['date']}; {machine['processors']} processors ({machine['model']}), Linux "
        f"{machine['kernel']}, load {machine['load_begin']:.1f} at the begin and "
        f"{machine['load_end']:.1f} at the end; fence: {report['fence']}; "
        + ", ".join(f"{name} {version}" for name, version in report["versions"].items()) +
        ". Ratio: reference over ours; above 1, ours is better. Times in ms unless said otherwise."
        "\n")
    if "floors" in parts:
        page.table("What the machine asks for (ms)", "", ["step", "p50", "p99", "min"],
                   [[row["floor"], *(_number(row[key], 3) for key in ("p50", "p99", "min"))]
                    for row in parts["floors"]])
    if "jobs" in parts:
        _jobs(page, "A job (ms)", "Asked for by one client that waits; warm. Alone: "
              "`validate_block` in the engine, with the artifact loaded and an instance made.",
              parts["jobs"], names)
    if "pov" in parts:
        _jobs(page, "A PoV of 10 MiB (ms)", "", parts["pov"], names)
    if "jobs" in parts or "pov" in parts:
        _costs(page, [*parts.get("jobs", ()), *parts.get("pov", ())], names)
    if "our_host" in parts:
        _our_host(page, parts["our_host"], names)
    if "reference_host" in parts:
        alone = {row["case"]: row["sides"]["alone"] for row in parts.get("jobs", ())}
        _reference_host(page, parts["reference_host"], names, alone)
    if "prepares" in parts:
        _prepares(page, parts["prepares"])
    if "spawn" in parts:
        _starts(page, "From the start of a worker to its first job (ms)", "", parts["spawn"], names)
    if "cold" in parts:
        _starts(page, "From the start of a host to its first verdict (ms)", "A host that ran "
                "before: ours has kept the artifact, the reference's prepares again.",
                parts["cold"], names)
    if "memory" in parts:
        _memory(page, parts["memory"])
    if "throughput" in parts:
        _throughput(page, parts["throughput"], names)
    if "drift" in parts:
        _drift(page, parts["drift"])
    return page.text()


def plots(report, folder):
    """Writes what there is to draw; the names of the files."""
    parts, names, drawn = report["parts"], report["sides"], {}
    if "jobs" in parts:
        shown = [*names, "alone"]
        drawn["jobs.svg"] = plot.bars(
            "A job, median", shown,
            [(row["case"], [row["sides"][name]["p50"] for name in shown]) for row in parts["jobs"]],
            "ms")
    if "prepares" in parts:
        shown = [name for name in parts["prepares"][0]["sides"]
                 if all(row["sides"][name]["cpu_s"] for row in parts["prepares"])]
        drawn["prepares.svg"] = plot.bars(
            "CPU of a preparation, median", shown,
            [(row["code"], [row["sides"][name]["cpu_s"] for name in shown])
             for row in parts["prepares"]], "s")
    if "drift" in parts:
        drift = parts["drift"]
        for key, unit, scale in (("p50", "ms", 1), ("pss", "MiB", MIB)):
            drawn[f"drift-{key}.svg"] = plot.lines(
                f"{drift['jobs']} jobs: {key}", list(drift["sides"]),
                [[block[key] / scale for block in blocks] for blocks in drift["sides"].values()],
                unit)
    for name, text in drawn.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)
    return sorted(drawn)
