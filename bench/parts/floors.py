# SPDX-License-Identifier: Apache-2.0
"""Owns: what the machine itself asks for: a process that ends at once, the same in new namespaces,
a copy of 10 MiB into fresh memory."""
import subprocess

from . import sample
from .setting import Wrong

BYTES = 10 << 20
KINDS = {"clone + exit + wait": ("clone",), "the same in a job's namespaces": ("fenced",),
         "memcpy of 10 MiB into fresh memory": ("copy", BYTES)}


def measure(setting):
    seen = {name: [] for name in KINDS}
    for _, name in sample.turns(setting.sizes.floor_rounds, list(KINDS)):
        what, *rest = KINDS[name]
        run = subprocess.run([setting.programs["floor"], what, str(setting.sizes.floor_jobs),
                              *map(str, rest)], capture_output=True, text=True, timeout=600,
                             check=False)
        if run.returncode != 0:
            raise Wrong(f"{name}: {run.stderr}")
        seen[name] += [int(line) / 1e9 for line in run.stdout.split()]
    return [{"floor": name, **sample.spread(times)} for name, times in seen.items()]
