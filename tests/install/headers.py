#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""headers.py CC CXX LIBRARY INCLUDE: every header compiles alone, as C and as C++ and without a warning, and a C++
program can be linked with every function."""
import pathlib
import subprocess
import sys
import tempfile

from public_face import Face, report

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wshadow", "-Wconversion"]


def main():
    cc, cxx, library, include = sys.argv[1:]
    face = Face(include)
    faults = []

    def compile_text(compiler, name, text, *options):
        with tempfile.TemporaryDirectory() as work:
            source = pathlib.Path(work, name)
            source.write_text(text)
            done = subprocess.run([compiler, *WARNINGS, "-I", include, source, "-o", f"{work}/out", *options],
                                  capture_output=True, text=True)
            if done.returncode == 0 and "-c" not in options:
                done = subprocess.run([f"{work}/out"], capture_output=True, text=True,
                                      env={"LD_LIBRARY_PATH": str(pathlib.Path(library).parent)})
            if done.returncode != 0:
                faults.append(f"{compiler} {' '.join(options)}: {text.splitlines()[0]}\n{done.stdout}{done.stderr}")

    for header in face.headers:
        # Twice, since every header guards itself.
        text = f"#include <pvf/{header.name}>\n" * 2 + "int nothing;\n"
        for compiler, name, standards in ((cc, "a.c", ("c11", "c17")), (cxx, "a.cc", ("c++11", "c++17"))):
            for standard in standards:
                compile_text(compiler, name, text, "-c", f"-std={standard}")

    # Volatile, so that the compiler cannot know that none of them is null.
    table = ",\n".join(f"    reinterpret_cast<function>({name})" for name in face.functions)
    compile_text(cxx, "all.cc", "#include <pvf/pvf.h>\ntypedef void (*function)();\n"
                 f"static function volatile table[] = {{\n{table}}};\n"
                 "int main()\n{\n    for (function f : table) {\n        if (f == nullptr) {\n"
                 "            return 1;\n        }\n    }\n    return 0;\n}\n",
                 "-std=c++17", "-Wno-cast-function-type", str(library))
    report(faults, f"{len(face.headers)} headers, {len(face.functions)} functions, {cc} and {cxx}")


main()
