#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""upgrade_equal.py PVF WORKERS FOLDER…: every candidate of the folders (as tests/data has them) on the upgraded wire
and on the plain one: the same verdict, reason, exit status and result."""
import glob
import json
import os
import subprocess
import sys
import tempfile

pvf, workers, *folders = sys.argv[1:]
SAME = ("verdict", "reason", "text", "pov_decompressed_size")
NO_CANDIDATE = 2  # what the command line itself cannot split


def code_of(folder):
    for name in ("code.wasm", "code.blob"):
        if os.path.exists(os.path.join(folder, name)):
            return os.path.join(folder, name)
    with open(os.path.join(folder, "meta.json"), encoding="utf-8") as file:
        return os.path.join(folder, "..", "..", json.load(file)["pvf"])


def run(artifact, params, scratch, *words):
    result = os.path.join(scratch, "result")
    if os.path.exists(result):
        os.unlink(result)
    done = subprocess.run([pvf, "validate", "--workers", workers, "--artifact", artifact, "--params", params, "--json",
                           "-o", result, *words], capture_output=True, timeout=600, check=False)
    said = json.loads(done.stdout) if done.stdout.startswith(b"{") else {}
    content = b""
    if os.path.exists(result):
        with open(result, "rb") as file:
            content = file.read()
    return done.returncode, {key: said.get(key) for key in SAME}, content


def main():
    failed = count = 0
    with tempfile.TemporaryDirectory(prefix="pvf-equal-") as scratch:
        for folder in folders:
            made = []
            for words in ([], ["--plain-protocol"]):
                artifact = os.path.join(scratch, f"artifact{len(made)}")
                subprocess.run([pvf, "prepare", "--workers", workers, code_of(folder), "-o", artifact, *words],
                               check=True, stdout=subprocess.DEVNULL, timeout=600)
                with open(artifact, "rb") as file:
                    made.append(file.read())
            if made[0] != made[1]:
                failed += 1
                print(f"FAIL: {folder}: two artifacts")
            candidates = [os.path.join(folder, "validation_params.scale")]
            candidates += sorted(glob.glob(os.path.join(folder, "*", "*.params")))
            for params in filter(os.path.exists, candidates):
                upgraded = run(artifact, params, scratch)
                plain = run(artifact, params, scratch, "--plain-protocol")
                count += upgraded[0] != NO_CANDIDATE
                if upgraded != plain or upgraded[0] not in (0, 1, NO_CANDIDATE):
                    failed += 1
                    print(f"FAIL: {params}: {upgraded} and {plain}")
    print(f"{count} candidates of {len(folders)} codes on both wires, {failed} differences")
    return 1 if failed or not count else 0


if __name__ == "__main__":
    sys.exit(main())
