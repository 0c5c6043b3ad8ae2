#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""abi.py [--update] CC LIBRARY INCLUDE LIST: what programs that were compiled earlier rely on.

LIST has every exported function with its version and prototype, every structure's size and its members' places,
and every constant.  Adding is fine: --update writes it again.  What was there before must stay; a change means another
SOVERSION, and before 1.0 another minor version.
"""
import difflib
import pathlib
import re
import subprocess
import sys
import tempfile

from public_face import Face


def constants_of(face):
    return [(name, constants) for name, constants in sorted(face.enums.items())] + [
        ("numbers", sorted(name for name in face.numbers if not name.startswith("PVF_VERSION_")))]


def program(face):
    """A C program that prints layouts and constants."""
    lines = ["#include <pvf/pvf.h>", "#include <stdio.h>", "#include <stdalign.h>", "int main(void)", "{"]
    for name, members in sorted(face.structs.items()):
        lines.append(f'printf("struct {name}: size %zu, align %zu\\n", sizeof({name}), alignof({name}));')
        for member, declaration in members:
            lines.append(f'printf("    at %zu, size %zu: {declaration}\\n", offsetof({name}, {member}), '
                         f'sizeof((({name} *)0)->{member}));')
    for name, constants in constants_of(face):
        lines.append(f'printf("constants of {name}\\n");')
        lines += [f'printf("    {constant} = %lld\\n", (long long){constant});' for constant in constants]
    return "\n".join(lines + ["return 0;", "}", ""])


def layouts(face, compiler):
    with tempfile.TemporaryDirectory() as work:
        source = pathlib.Path(work, "layouts.c")
        source.write_text(program(face))
        subprocess.run([compiler, "-std=c17", "-I", face.folder, source, "-o", f"{work}/layouts"], check=True)
        return subprocess.run([f"{work}/layouts"], check=True, capture_output=True, text=True).stdout.splitlines()


def exported(library):
    """name -> version node"""
    out = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True, text=True).stdout
    return dict(re.findall(r" [A-Z] (\w+)@@(\S+)$", out, flags=re.M))


def describe(face, compiler, library):
    versions = exported(library)
    lines = ["# Written by tests/install/abi.py --update; see there before changing anything."]
    lines += [f"function {versions.get(name, 'NOT EXPORTED')} {face.prototype(name)}" for name in sorted(face.functions)]
    lines += [f"callback {face.callbacks[name]}" for name in sorted(face.callbacks)]
    return lines + layouts(face, compiler)


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--update"]
    compiler, library, include, path = arguments
    now = describe(Face(include), compiler, library)
    if "--update" in sys.argv:
        pathlib.Path(path).write_text("\n".join(now) + "\n")
        return
    before = pathlib.Path(path).read_text().splitlines()
    if now != before:
        print("\n".join(difflib.unified_diff(before, now, "committed", "built", lineterm="", n=1)))
        sys.exit("The ABI is not the one that was committed.  tests/install/abi.py says what may change, and how.")
    print(f"{len(now)} lines, all as committed")


if __name__ == "__main__":
    main()
