# SPDX-License-Identifier: Apache-2.0
"""Owns: what these workers do otherwise than the reference's, on purpose.  PROTOCOL.md has the same
table with the reasons; check_page() keeps the two in step."""

# case: (what ours do, what the reference's do)
TABLE = {
    "prepare: --version before a word that is no UTF-8": ("exit 0", "exit 101"),
    "execute: --version before a word that is no UTF-8": ("exit 0", "exit 101"),
    "inspect as the first argument": ("exit 0, JSON", "exit 101, silent"),
    "--wire-upgrades as the first argument": ("exit 0, 1", "exit 101, silent"),
    "a version file beside the program": ("the file's", "compiled in"),
    "length 2^63": ("exit 1", "exit 101"),
    "length 2^64 - 1": ("exit 1", "exit 101"),
    "length 2^47": ("exit 1", "SIGABRT"),
    "length 2^40": ("ends, exit 1", "waits, exit 1, or ends, SIGABRT"),
    "length one above our limit": ("ends", "waits"),
    "prepare: the longest CPU limit": ("Ok", "Ok or IoErr"),
    "execute: the longest CPU limit": ("Ok", "Ok or JobError/CpuTimeMonitorThread"),
    "prepare: descriptors run out": ("silent, exit 1 < Kernel < Ok", "silent, exit 1 < Ok"),
    "execute: descriptors run out":
        ("CouldNotOpenFile < CouldNotCreatePipe < Kernel < Ok",
         "CouldNotOpenFile < CouldNotCreatePipe < Ok"),
    "execute: descriptors left behind by 30 PoVs that do not decompress": ("0", "60"),
    "execute: artifact: a symbolic link to the real one": ("InternalError/CouldNotOpenFile", "Ok"),
    "execute: a native stack of 2 MiB less than 4 GiB": ("Ok", "JobDied"),
    "execute: no bulk memory, run with it": ("Ok", "RuntimeConstruction"),
    "prepare: job killed by a real-time signal": ("JobDied", "Kernel"),
    "execute: job killed by a real-time signal": ("JobDied", "InternalError/Kernel"),
    "execute: job killed by SIGIO":
        ("JobDied received signal: SIGPOLL", "JobDied received signal: SIGIO"),
    "prepare: host gone while a job runs": ("the job ends", "the job goes on"),
    "execute: host gone while a job runs": ("the job ends", "the job goes on"),
    "execute: half-closed while a job runs":
        ("silent, exit 1", "JobTimedOut, InternalError/HostCommunication, exit 1"),
    "execute: worker killed while a job runs": ("the job ends", "the job goes on"),
    "execute: job's descriptors besides 0, 1, 2": ("pipe, sealed artifact", "pipe"),
}

SECTION = "## Intended differences"


def rows_of(page):
    """The cells of the section's table, without its two lines of head."""
    inside = page.partition(f"\n{SECTION}\n")[2].partition("\n## ")[0]
    rows = [line for line in inside.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def check_page(page):
    """What is wrong between the page and the table."""
    faults, seen = [], set()
    for cells in rows_of(page):
        name = cells[0].strip("`")
        seen.add(name)
        if name not in TABLE:
            faults.append(f"{name}: only in PROTOCOL.md")
        elif tuple(cells[1:3]) != TABLE[name]:
            faults.append(f"{name}: {cells[1:3]} in PROTOCOL.md, {TABLE[name]} in the driver")
        elif len(cells) != 4 or not cells[3]:
            faults.append(f"{name}: PROTOCOL.md gives no reason")
    return faults + [f"{name}: not in PROTOCOL.md" for name in sorted(set(TABLE) - seen)]
