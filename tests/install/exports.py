#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""exports.py SHARED STATIC INCLUDE MAP: what leaves the library, and what it asks of others.

Exactly the functions that the headers call PVF_API leave it; it needs the libraries of docs/embedding.md and no other;
no engine and no Rust is inside; and it calls nothing that an embedder's process must have for itself.
"""
import re
import subprocess
import sys

from public_face import Face, report

# The dynamic loader is there for thread-local variables.
NEEDED = [r"libsodium\.so\.\d+", r"libc\.so\.6", r"ld-linux-[a-z0-9-]+\.so\.\d+"]
# A library must not end, print, make threads, change the process's signals, folder, environment or mask, or use
# what another thread may be using at the time.
NEVER = """abort _exit exit quick_exit atexit printf puts putchar perror vprintf __printf_chk __vprintf_chk fork vfork
    system popen pthread_create thrd_create signal sigaction bsd_signal sigprocmask pthread_sigmask alarm setitimer
    chdir fchdir umask setenv putenv unsetenv clearenv setlocale srand rand strtok localtime gmtime ctime asctime
    strerror getpwnam getpwuid prctl setrlimit wait wait3 wait4 stdout stderr syslog openlog dlopen""".split()


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def defined(archive):
    """Global names of an archive."""
    return set(re.findall(r"^[0-9a-f]+ [A-Z] (\S+)$", run("nm", "-g", "--defined-only", archive), flags=re.M))


def main():
    shared, static, include, version_map = sys.argv[1:]
    face = Face(include)
    api = set(face.functions)
    faults = []

    def same(what, names):
        faults.extend(f"{name} is declared PVF_API, but is not in {what}" for name in sorted(api - names))
        faults.extend(f"{name} is in {what}, but no header declares it PVF_API" for name in sorted(names - api))

    out = run("nm", "-D", "--defined-only", shared)
    versions = set(re.findall(r" A (PVF_[\d.]+)$", out, flags=re.M))
    same("the shared library", set(re.findall(r" [A-Z] (\w+)@@PVF_[\d.]+$", out, flags=re.M)))
    same("libpvf.map", set(re.findall(r"^\s+(pvf_\w+);$", open(version_map).read(), flags=re.M)))
    for line in out.splitlines():
        if not re.search(r" A PVF_[\d.]+$|@@PVF_[\d.]+$", line):
            faults.append(f"leaves without a version: {line}")

    names = defined(static)
    faults += [f"{name} is declared, but not in the static library" for name in sorted(api - names)]
    # Two names of one program may collide; ours begin with pvf__.
    faults += [f"a global name without our prefix: {name}" for name in sorted(names - api)
               if not name.startswith("pvf__")]

    dynamic = run("readelf", "-dW", shared)
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)
    faults += [f"needs {library}" for library in needed if not any(re.fullmatch(p, library) for p in NEEDED)]
    faults += [f"does not need {p}" for p in NEEDED[:2] if not any(re.fullmatch(p, library) for library in needed)]
    if not re.search(r"\(SONAME\).*\[libpvf\.so\.\d+\]", dynamic):
        faults.append("no soname libpvf.so.N")
    if re.search(r"\((RPATH|RUNPATH|TEXTREL)\)", dynamic):
        faults.append("it has a search path of its own, or relocations in its text")
    if "BIND_NOW" not in dynamic:
        faults.append("it is not linked with -z now")
    segments = run("readelf", "-lW", shared)
    if not re.search(r"GNU_STACK.*RW ", segments) or "GNU_RELRO" not in segments:
        faults.append("its stack is executable, or its relocations can be written")

    imports = set(re.findall(r"^\s+[UwV] ([\w]+)", run("nm", "-D", "--undefined-only", shared), flags=re.M))
    if len(imports) < 50:
        faults.append("the list of imports was not read")
    faults += [f"it calls {name}" for name in NEVER if name in imports]
    everything = run("nm", shared) + run("nm", static)
    faults += [f"an engine or Rust is inside: {name}" for name in
               re.findall(r" (\w*(?:wasmtime|cranelift|rust_)\w*|_ZN\w+|_R[NIC]\w+)$", everything, flags=re.M)[:5]]
    report(faults, f"{len(api)} functions leave {', '.join(sorted(versions))}; needs {', '.join(needed)}")


main()
