#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""metrics_promtool EXPORTER: Prometheus's own check of the text: it reads all of it, and of names it
has something to say only about the reference's, which are as they are."""
import re
import subprocess
import sys

from dashboard.prometheus import program

promtool = program("promtool")
text = subprocess.run([sys.argv[1], "print"], capture_output=True, text=True, timeout=120,
                      check=True).stdout


def judge(of):
    """Exit status and lines: 1 for what it cannot read, 3 for names that it would not give."""
    done = subprocess.run([promtool, "check", "metrics"], input=of, capture_output=True, text=True,
                          timeout=120, check=False)
    return done.returncode, (done.stdout + done.stderr).splitlines()


status, lines = judge(text)
ours = [line for line in lines if not re.match(r"polkadot_\w+ counter metrics should have", line)]
if status not in (0, 3) or ours:
    print("\n".join(lines))
    sys.exit(1)
# It can say no: to a number that is none, and to a name of ours that is not as it should be.
for damaged, want in [(text.replace("\npvf_up 1\n", "\npvf_up x\n"), 1),
                      (text.replace("pvf_requests_total", "pvf_requests_sum_count"), 3)]:
    status, lines = judge(damaged)
    if damaged == text or status != want or not [line for line in lines if "pvf" in line or
                                                 "parsing" in line]:
        print(f"promtool says {status} to a damaged text, not {want}")
        sys.exit(1)
print(f"{len(text.splitlines())} lines are fine")
