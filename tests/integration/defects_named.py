#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""defects_named.py SOURCE: docs/defects.md and docs/host-facts.md are complete, every test that
they name exists and is run, and what stays as it is in the reference stands in docs/differences.md."""
import itertools
import os
import re
import sys

source = sys.argv[1]
DEFECTS = 47
STATES = ("unknown", "prepared", "preparing", "failed")
EVENTS = ("precheck", "execute", "heads-up", "prepared", "preparation failed", "removal", "pruning")
WINDOWS = 10
OWN_TESTS = 43
NAMED = re.compile(r"`(tests/[\w/.]+):(\w+)`")
faults = []


def read(path):
    with open(os.path.join(source, path), encoding="utf-8") as file:
        return file.read()


def rows(text, heading=None):
    """The rows of the first table below a heading, as lists of cells."""
    if heading is not None:
        text = text[text.index(f"\n## {heading}\n"):]
    table = re.search(r"^\|[^\n]*\n\|[-|]+\|\n((?:\|[^\n]*\n)+)", text, re.M)
    return [[cell.strip() for cell in line.strip("|").split(" | ")]
            for line in table[1].splitlines()]


def is_run(path, name):
    """A test of cmocka stands in its file's list, a function of a script is called."""
    text = read(path)
    if path.endswith(".py"):
        return f"def {name}(" in text and len(re.findall(rf"\b{name}\(", text)) > 1
    defined = re.search(rf"^static void {name}\(", text, re.M)
    return defined is not None and len(re.findall(rf"\b{name}\b", text)) > 1


def check_names(where, cell):
    found = NAMED.findall(cell)
    if not found:
        faults.append(f"{where}: no test is named")
    for path, name in found:
        if not os.path.exists(os.path.join(source, path)):
            faults.append(f"{where}: there is no {path}")
        elif not is_run(path, name):
            faults.append(f"{where}: {path} has no test {name} that is run")


def complete(what, got, wanted):
    got, wanted = list(got), list(wanted)
    for missing in [w for w in wanted if w not in got]:
        faults.append(f"{what}: {missing} is missing")
    if len(got) != len(set(got)) or len(got) != len(wanted):
        faults.append(f"{what}: {len(got)} rows, not {len(wanted)}")


def check_defects():
    table = rows(read("docs/defects.md"))
    complete("docs/defects.md", [row[0] for row in table],
             [str(i) for i in range(1, DEFECTS + 1)])
    differences = read("docs/differences.md")
    for number, _, _, shown in table:
        where = f"docs/defects.md, {number}"
        check_names(where, shown)
        if shown.startswith("stays"):
            said = re.match(r"stays(?: in part)?, “([^”]+)”: ", shown)
            if said is None or f"| {said[1]} |" not in differences:
                faults.append(f"{where}: docs/differences.md has no row for it")


def check_facts():
    text = read("docs/host-facts.md")
    tables = {heading: rows(text, heading) for heading in re.findall(r"^## (.*)$", text, re.M)}
    for heading, table in tables.items():
        for row in table:
            check_names(f"docs/host-facts.md, {heading}, {row[0]}", row[-1])
    states = tables["Artifact states"]
    complete("artifact states", [tuple(r[:2]) for r in states], itertools.product(STATES, EVENTS))
    windows = tables["Starts in one window, the reference's choice"]
    complete("windows", [r[0] for r in windows], {r[0] for r in windows})
    if len(windows) != WINDOWS:
        faults.append(f"windows: {len(windows)}, not {WINDOWS}")
    # The names of all errors and reasons come from the sources.
    errors = re.findall(r'^    \[PVF__PREPARE_\w+\] = \{"(\w+)",',
                        read("src/proto/prepare_error.c"), re.M)
    complete("ends of a preparation",
             [r[0].strip("`") for r in tables["Ends of a preparation"]], errors)
    reasons = re.findall(r'\{PVF_REASON_\w+, "([^"]+)"\}', read("src/host/outcome.c"))
    complete("ends of an execution", [r[0] for r in tables["Ends of an execution"]], reasons)
    own = [r[0] for r in tables["What the reference's own tests pin down"]]
    complete("the reference's own tests", own, set(own))
    if len(own) != OWN_TESTS:
        faults.append(f"the reference's own tests: {len(own)}, not {OWN_TESTS}")


check_defects()
check_facts()
for fault in faults:
    print(f"FAIL: {fault}")
print(f"{len(faults)} faults" if faults else "every row names a test that is there")
sys.exit(1 if faults else 0)
