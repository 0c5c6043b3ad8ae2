#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""python_example.py LIST EXAMPLE LIBRARY WORKERS DATA: the structures of the Python example are those of the C
headers, as LIST (abi.txt) has them, and the example says what it should."""
import ctypes
import importlib.util
import os
import re
import subprocess
import sys

from public_face import report


def committed_layouts(path):
    """struct -> (size, [(offset, size, member)])"""
    layouts = {}
    for line in open(path):
        if found := re.match(r"struct (\w+): size (\d+)", line):
            members = []
            layouts[found[1]] = (int(found[2]), members)
        elif found := re.match(r" +at (\d+), size (\d+): .*?(\w+)(?:\[\w+\])?$", line):
            members.append((int(found[1]), int(found[2]), found[3]))
    return layouts


def main():
    path, example, library, workers, data = sys.argv[1:]
    sys.dont_write_bytecode = True
    spec = importlib.util.spec_from_file_location("validate", example)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    layouts = committed_layouts(path)
    faults, count = [], 0
    for name, kind in vars(module).items():
        if not (isinstance(kind, type) and issubclass(kind, ctypes.Structure)):
            continue
        count += 1
        size, members = layouts["pvf" + re.sub("([A-Z])", r"_\1", name).lower()]
        ours = [(getattr(kind, member).offset, getattr(kind, member).size, member) for member, *_ in kind._fields_]
        if (ctypes.sizeof(kind), ours) != (size, members):
            faults.append(f"{name}: {ctypes.sizeof(kind)} {ours}\n  the library's: {size} {members}")
    if count < 8:
        faults.append(f"only {count} structures were found in the example")
    if os.path.exists(f"{workers}/pvf-execute-worker"):
        done = subprocess.run([sys.executable, "-B", example, library, workers, data], capture_output=True, text=True)
        wanted = ("precheck: accepted\n"
                  "execute: valid 36f026a118658eea81a37658b4a7d09ea85c63437a6d5b8b15c5708bd40552b6\n")
        if done.returncode != 0 or done.stdout != wanted:
            faults.append(f"status {done.returncode}\n{done.stdout}{done.stderr}")
    report(faults, f"{count} structures are the library's")


main()
