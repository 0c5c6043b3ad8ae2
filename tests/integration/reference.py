# SPDX-License-Identifier: Apache-2.0
"""Owns: where the reference's programs are.  They run as black boxes, in tests and in bench/."""
import os
import shutil
import subprocess
import tempfile


def programs_in(folder):
    return {kind: os.path.join(folder, f"polkadot-{kind}-worker") for kind in
            ("prepare", "execute")}


def find(place, named=None):
    """(programs by kind, ""), or (None, why not).  They are in the folder `named`, or that
    PVF_REFERENCE names, or in the archive of PVF_SHARED, which is unpacked into `place` once."""
    named = named or os.environ.get("PVF_REFERENCE")
    if named:
        return _checked(named)
    shared = os.environ.get("PVF_SHARED") or os.environ.get("PVF_SHARED_DEFAULT", "")
    tool = os.path.join(shared, "tools", "unpack-reference")
    if not shared or not os.path.exists(tool):
        return None, f"there is neither a PVF_REFERENCE nor {tool}"
    if shutil.which("zstd") is None:
        return None, "there is no zstd to unpack the reference with"
    if not os.path.isdir(place):
        # Whoever is first wins: tests may run side by side.
        os.makedirs(os.path.dirname(place), exist_ok=True)
        part = tempfile.mkdtemp(dir=os.path.dirname(place))
        subprocess.run([tool, part], check=True)
        try:
            os.rename(part, place)
        except OSError:
            shutil.rmtree(part)
    return _checked(place)


def _checked(folder):
    programs = programs_in(folder)
    missing = [path for path in programs.values() if not os.access(path, os.X_OK)]
    return (None, f"there is no {missing[0]}") if missing else (programs, "")


def host_of(programs):
    """The program by which the reference's host runs any pair of workers; None when it is not
    beside its workers."""
    path = os.path.join(os.path.dirname(programs["execute"]), "peer-bench")
    return path if os.access(path, os.X_OK) else None
