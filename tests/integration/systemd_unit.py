#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""systemd_unit FRAGMENT PVF WORKERS DENY_SYSCALL: the drop-in of contrib/systemd is understood by
systemd without a warning, and what it allows is enough: the doctor and its trial run under a filter
of exactly those system calls."""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

fragment, pvf, workers, deny = sys.argv[1:5]
if shutil.which("systemd-analyze") is None:
    print("skipped: systemd-analyze is not installed (Debian package systemd)")
    sys.exit(77)


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def verify(folder, unit_lines):
    """What systemd says about a node's unit with the fragment."""
    unit = pathlib.Path(folder) / "polkadot.service"
    unit.write_text("[Service]\nExecStart=/bin/true\n" + unit_lines, encoding="ascii")
    drop_in = pathlib.Path(folder) / "polkadot.service.d"
    drop_in.mkdir(exist_ok=True)
    shutil.copy(fragment, drop_in / "pvf.conf")
    return run("systemd-analyze", "verify", str(unit))


def groups():
    """Name of a group of system calls: its members."""
    members = {}
    for line in run("systemd-analyze", "syscall-filter").stdout.splitlines():
        if line.startswith("@"):
            name = line.strip()
            members[name] = []
        elif line.startswith("    ") and not line.strip().startswith("#"):
            members[name].append(line.strip())
    return members


def expand(names, members):
    out = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name.startswith("@"):
            todo += members[name]
        else:
            out.add(name)
    return out


def main():
    faults = []
    with tempfile.TemporaryDirectory() as folder:
        done = verify(folder, "")
        if "@reboot" not in groups() or done.returncode != 0:
            print(f"skipped: systemd-analyze does not work here: {done.stderr}")
            return 77
        if done.stderr.strip():
            faults.append(f"systemd complains: {done.stderr}")
        # The check itself must be able to see something.
        if "Nonsense" not in verify(folder, "Nonsense=1\n").stderr:
            faults.append("systemd-analyze verify sees no mistakes")

        words = []
        for line in re.findall(r"^SystemCallFilter=(.*)$", pathlib.Path(fragment).read_text(), re.M):
            words += line.split()
        allowed = expand([*words, "@default"], groups())
        listing = pathlib.Path(folder) / "allowed"
        listing.write_text("\n".join(sorted(allowed)), encoding="ascii")
        plain = run(pvf, "doctor", "--workers", workers)
        under = run(deny, "EPERM", f"only:@{listing}", "--", pvf, "doctor", "--workers", workers)
        if plain.returncode != 0:
            print(f"not compared under the unit's filter: this machine is not ready itself:\n"
                  f"{plain.stdout}")
        elif under.returncode != 0:
            faults.append(f"under the fragment's filter, which allows {len(allowed)} calls:\n"
                          f"{under.stdout}{under.stderr}")
        # Without the fragment's own calls the doctor must complain.
        listing.write_text("\n".join(sorted(expand(["@system-service", "@default"], groups()) -
                                            {"seccomp"})), encoding="ascii")
        if run(deny, "EPERM", f"only:@{listing}", "--", pvf, "doctor", "--workers",
               workers).returncode != 6:
            faults.append("a unit with @system-service alone was found good enough")
    for fault in faults:
        print(f"FAIL: {fault}")
    return 1 if faults else 0


sys.exit(main())
