#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""wire_driver.py --prepare PROGRAM --execute PROGRAM [--reference] [--security BITS] [--only TEXT]
wire_driver.py --reference-in FOLDER [--security BITS] [--only TEXT]

Drives the two workers byte by byte from outside: every first argument, start, message, error that
can be provoked, end and exit code of the wire protocol, and damaged messages.  The same cases pass
on the reference's workers; where they behave otherwise, wire/differences.py says so, as does the
section "Intended differences" of PROTOCOL.md.

--reference      these are the reference's workers
--reference-in   finds them: in the folder that PVF_REFERENCE names, or in the archive of
                 PVF_SHARED, which is unpacked into FOLDER once; without either the exit status is
                 77 (skipped)
--security       the handshake's five flags wherever a case does not choose them; exit status 77
                 (skipped) when the workers' own checks say no to one of them
--only           runs the cases whose names contain this text

Exit status 0 when all cases are as expected."""
import argparse
import os
import resource
import sys
import tempfile

sys.dont_write_bytecode = True
import reference  # noqa: E402
from wire import deaths, differences, execute, flips, frames, prepare, start, suite  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = os.path.join(HERE, "..", "..", "PROTOCOL.md")
PARALLEL = 3
PARTS = (start, frames, prepare, execute, deaths, flips)  # importing them made the list of cases


def denied(target):
    """The mechanisms that --security asks for and the workers' own checks deny."""
    return [start.CHECKS[bit][0] for bit in start.CHECKS if target.security[bit] and
            not all(start.available(target, kind, bit) for kind in target.programs)]


def check_names(tally):
    with open(PAGE, encoding="utf-8") as file:
        faults = differences.check_page(file.read())
    tally.check("PROTOCOL.md has the table of differences", faults, [])
    unused = sorted(set(differences.TABLE) - {name for name, _, _ in suite.CASES})
    tally.check("every difference has its case", unused, [])


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("--prepare")
    parser.add_argument("--execute")
    parser.add_argument("--reference", action="store_true")
    parser.add_argument("--reference-in")
    parser.add_argument("--security", default="00000")
    parser.add_argument("--only")
    args = parser.parse_args()
    if not args.reference_in and not (args.prepare and args.execute):
        parser.error("which workers?")
    if len(args.security) != 5 or set(args.security) - {"0", "1"}:
        parser.error("--security takes five digits, each 0 or 1")
    return args


def main():
    args = arguments()
    programs = {"prepare": args.prepare, "execute": args.execute}
    if args.reference_in:
        programs, why = reference.find(os.path.abspath(args.reference_in))
        if programs is None:
            print(f"skipped: {why}")
            return 77
    # Jobs are killed here by signals that would write cores.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    tally = suite.Tally()
    if args.only is None:
        check_names(tally)
    with tempfile.TemporaryDirectory(prefix="pvf-wire-") as scratch:
        target = suite.Target({kind: os.path.abspath(p) for kind, p in programs.items()},
                              bytes(int(bit) for bit in args.security),
                              bool(args.reference or args.reference_in), scratch)
        missing = denied(target)
        if missing:
            print(f"skipped: the workers say no to {', '.join(missing)}")
            return 77
        suite.run_all(target, tally, args.only, PARALLEL)
    print(f"{tally.good} as expected, {len(tally.faults)} not, {len(tally.skipped)} skipped")
    return 1 if tally.faults or tally.good == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
