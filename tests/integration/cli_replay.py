#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""cli_replay PVF WORKERS DATA: evidence bundles are replayed and compared, whether made here by
hand after docs/evidence.md or written by `pvf run`, and damaged ones are refused with the reason."""
import copy
import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile

pvf, workers, data = sys.argv[1:4]
ADDER = os.path.join(data, "adder")
failed = 0


def fail(label, text):
    global failed
    failed += 1
    print(f"FAIL: {label}: {text}")


def read(name):
    with open(os.path.join(ADDER, name), "rb") as file:
        return file.read()


def digest(content):
    return "0x" + hashlib.blake2b(content, digest_size=32).hexdigest()


ZERO = "0x" + "00" * 32
VALID, INVALID, _, INTERNAL = range(4)
REPORTED = 1


def bundle(outcome, pvd=None, pov=None, result=None, preparation=None):
    """A manifest and its files."""
    files = {"code": read("code.wasm")}
    request = {"executor_params": "0x00", "bomb_limit": 0, "prepare_timeout_ms": 0,
               "precheck": False, "metering": 0}
    manifest = {"format": "pvf-evidence", "version": 1, "written": "2026-01-01T00:00:00Z",
                "request": request}
    if outcome is not None:
        files["pvd.scale"] = pvd or read("pvd.scale")
        files["pov"] = read("block_data.bin") if pov is None else pov
        request.update({"timeout_ms": 0, "descriptor_version": 0, "descriptor_byte": 0,
                        "relay_parent": ZERO, "scheduling_parent": ZERO})
        manifest["outcome"] = {"cpu_us": 1000, "wall_us": 2000, **outcome}
    if preparation is not None:
        manifest["preparation"] = preparation
    if result is not None:
        files["result.scale"] = result
    manifest["files"] = {name: {"size": len(content), "blake2b_256": digest(content)}
                         for name, content in files.items()}
    return manifest, files


def write(folder, manifest, files):
    for name, content in files.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(content)
    with open(os.path.join(folder, "manifest.json"), "w", encoding="utf-8") as file:
        file.write(manifest if isinstance(manifest, str) else json.dumps(manifest))


def replay(label, status, folder, *options):
    run = subprocess.run([pvf, "replay", "--workers", workers, *options, folder],
                         capture_output=True, text=True, timeout=600, check=False)
    if run.returncode != status or (status == 2) == bool(run.stdout):
        fail(label, f"status {run.returncode}, not {status}: {run.stdout}{run.stderr}")
    return run.stdout + run.stderr


def try_bundle(label, status, made, *wanted, options=()):
    with tempfile.TemporaryDirectory() as folder:
        write(folder, *made)
        text = replay(label, status, folder, *options)
        for word in wanted:
            if word not in text:
                fail(label, f"{word!r} is not in: {text}")
        return text


def outcomes_are_compared():
    expected = read("expected_result.scale")
    valid = {"verdict": VALID, "reason": 0}
    invalid = {"verdict": INVALID, "reason": REPORTED}
    try_bundle("valid", 0, bundle(valid, result=expected), "verdict", "valid, as recorded",
               "result             as recorded", "replay             the same")
    try_bundle("another result", 5, bundle(valid, result=expected + b"\0"),
               "result             DIFFERENT", "replay             DIFFERENT")
    try_bundle("another head", 5, bundle({**valid, "head_hash": ZERO}), "head hash",
               "DIFFERENT")
    try_bundle("was invalid", 5, bundle(invalid), "valid, but recorded was: invalid")
    try_bundle("was internal", 5, bundle({"verdict": INTERNAL, "reason": 20}),
               "valid, but recorded was: internal")
    pvd, pov = read("pvd.scale"), b"\xff"
    try_bundle("invalid", 0, bundle(invalid, pov=pov), "invalid, as recorded",
               "reported invalid, as recorded")
    try_bundle("was valid", 5, bundle(valid, pov=pov), "invalid, but recorded was: valid")
    text = try_bundle("repeat", 0, bundle(valid, pvd=pvd), "over 3 runs",
                      options=("--repeat", "3"))
    if "CPU times" not in text:
        fail("repeat", text)
    report = json.loads(try_bundle("json", 0, bundle(valid), options=("--json",)))
    if (report["same"], report["exit"], report["verdict"]) != (True, 0, "valid") or \
            report["recorded"]["outcome"]["verdict"] != VALID:
        fail("json", report)


def preparations_are_compared():
    good = {"ok": True}
    bad = {"ok": False, "error": 0, "name": "Prevalidation", "text": "x", "deterministic": True}
    try_bundle("good", 0, bundle(None, preparation=good), "good, as recorded")
    try_bundle("was bad", 5, bundle(None, preparation=bad),
               "good, but recorded was: Prevalidation")
    manifest, files = bundle(None, preparation=bad)
    files["code"] = b"no code"
    manifest["files"]["code"] = {"size": 7, "blake2b_256": digest(b"no code")}
    try_bundle("bad", 0, (manifest, files), "Prevalidation, as recorded")
    manifest["preparation"] = {**bad, "error": 1, "name": "Preparation"}
    try_bundle("another", 5, (manifest, files), "Prevalidation, but recorded was: Preparation")
    manifest["preparation"] = good
    try_bundle("was good", 5, (manifest, files), "Prevalidation, but recorded was: good")


def damaged_bundles_are_refused():
    manifest, files = bundle({"verdict": INVALID, "reason": REPORTED},
                             preparation={"ok": False, "error": 0})

    def without(path):
        changed = copy.deepcopy(manifest)
        at = changed
        for key in path[:-1]:
            at = at[key]
        del at[path[-1]]
        return changed

    def changed_to(path, value):
        changed = copy.deepcopy(manifest)
        at = changed
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = value
        return changed

    needed = [("files",), ("files", "code"), ("files", "code", "size"), ("files", "pov"),
              ("files", "pov", "blake2b_256"), ("request",), ("request", "executor_params"),
              ("request", "bomb_limit"), ("request", "prepare_timeout_ms"),
              ("request", "precheck"), ("request", "metering"), ("request", "timeout_ms"),
              ("request", "descriptor_version"), ("request", "descriptor_byte"),
              ("request", "relay_parent"), ("request", "scheduling_parent"),
              ("outcome", "verdict"), ("outcome", "reason"), ("outcome", "cpu_us"),
              ("outcome", "wall_us"), ("preparation", "ok"), ("preparation", "error")]
    for path in needed:
        try_bundle(f"without {path}", 2, (without(path), files), "manifest: ", path[-1])
        for value in (None, -1, [], {}, "zz", 1 << 62):
            if (path[-1] in ("size", "cpu_us", "wall_us") and value == 1 << 62) or \
                    (path[-1] == "files" and value == {}):
                continue
            try_bundle(f"{path} as {value}", 2, (changed_to(path, value), files), "manifest: ")
    for path, value, text in (
            (("format",), "x", "no evidence bundle"), (("version",), 2, "another version"),
            (("version",), "1", "another version"),
            (("request", "executor_params"), "0x0000", "executor_params"),
            (("request", "executor_params"), "0x04", "no valid value"),
            (("files", "code", "size"), 1, "code is damaged"),
            (("files", "pov", "blake2b_256"), ZERO, "pov is damaged"),
            (("files", "pov", "size"), 1 << 40, "pov.size has to be"),
            (("preparation",), 7, "no object preparation"), (("outcome",), [], "no object outcome")):
        try_bundle(f"{path} as {value}", 2, (changed_to(path, value), files), text)
    for text, why in (("", "no JSON object"), ("[]", "no JSON object"), ("{", "no JSON object"),
                      ('{"format": "pvf-evidence", "format": "x"}', "duplicate"),
                      ("{}", "no evidence bundle"), ("\xff", "no JSON object")):
        try_bundle(f"manifest {text!r}", 2, (text, files), why)
    for name in files:
        content = files[name]
        for damage in (content[:-1], content + b"\0", bytes([content[0] ^ 1]) + content[1:]):
            try_bundle(f"{name} damaged", 2, (manifest, {**files, name: damage}),
                       f"{name} is damaged")
        rest = {key: value for key, value in files.items() if key != name}
        try_bundle(f"{name} missing", 2, (manifest, rest), f"{name}")
    # The digest of a file that is no PersistedValidationData fits, the file does not.
    short = files["pvd.scale"][:-1]
    made = changed_to(("files", "pvd.scale"), {"size": len(short), "blake2b_256": digest(short)})
    try_bundle("short pvd", 2, (made, {**files, "pvd.scale": short}), "pvd.scale")
    # Neither outcome nor preparation.
    empty = without(("outcome",))
    del empty["preparation"]
    try_bundle("empty", 2, (empty, files), "is needed")
    with tempfile.TemporaryDirectory() as folder:
        if "manifest.json" not in replay("no manifest", 2, folder):
            fail("no manifest", "it is not named")
    for options, text in ((["--repeat", "0"], "--repeat takes"), (["a", "b"], "one bundle"),
                          (["--nothing"], "unrecognized")):
        if text not in replay("usage", 2, "x", *options):
            fail("usage", options)


def what_the_service_writes_can_be_replayed():
    with tempfile.TemporaryDirectory() as top:
        evidence = os.path.join(top, "evidence")
        requests = [{"op": "execute", "id": i, "code": {"path": os.path.join(ADDER, "code.wasm")},
                     "params": {"path": os.path.join(ADDER, "invalid", f"{name}.params")}}
                    for i, name in enumerate(("wrong-state", "garbage-parent-head"))]
        requests.append({"op": "execute", "id": 2, "code": requests[0]["code"],
                         "params": {"path": os.path.join(ADDER, "validation_params.scale")}})
        requests.append({"op": "precheck", "id": 3, "code": {"hex": "00"}})
        run = subprocess.run([pvf, "run", "--workers", workers, "--cache", os.path.join(top, "c"),
                              "--evidence", evidence],
                             input="".join(json.dumps(r) + "\n" for r in requests),
                             capture_output=True, text=True, timeout=600, check=False)
        answers = {a["id"]: a for a in map(json.loads, run.stdout.splitlines()) if "id" in a}
        if run.returncode != 0 or "evidence" in answers[2]:
            fail("written", f"{run}")
        text = replay("precheck", 0, answers[3].get("evidence", "none"))
        for word in ("Prevalidation, as recorded", "the same file as then"):
            if word not in text:
                fail("precheck", f"{word!r} is not in: {text}")
        with open(os.path.join(answers[3]["evidence"], "manifest.json"), encoding="utf-8") as file:
            manifest = json.load(file)
        for name, program in (("prepare_worker", "pvf-prepare-worker"),
                              ("execute_worker", "pvf-execute-worker")):
            with open(os.path.join(workers, program), "rb") as file:
                if manifest[name]["blake2b_256"] != digest(file.read()) or \
                        not manifest[name]["version"]:
                    fail("precheck", manifest[name])
        if manifest["request"]["kind"] != "precheck" or not manifest["request"]["precheck"]:
            fail("precheck", manifest["request"])
        for number in (0, 1):
            path = answers[number].get("evidence")
            if path is None:
                fail("written", f"no evidence: {answers[number]}")
                continue
            text = replay("written", 0, path)
            if "replay             the same" not in text:
                fail("written", text)
            if stat.S_IMODE(os.stat(path).st_mode) != 0o700:
                fail("written", "others may look into it")
            # A copy of it is as good, and so are the command line's own ways to its files.
            moved = os.path.join(top, f"moved{number}")
            shutil.copytree(path, moved)
            replay("copied", 0, moved)
            run = subprocess.run([pvf, "validate", "--workers", workers, f"{path}/code", "--pvd",
                                  f"{path}/pvd.scale", "--pov", f"{path}/pov"],
                                 capture_output=True, timeout=600, check=False)
            if run.returncode != 1:
                fail("validate", run)
        if len(os.listdir(os.path.join(evidence, "code"))) != 2:
            fail("written", "the code is there more than once")


def main():
    outcomes_are_compared()
    preparations_are_compared()
    damaged_bundles_are_refused()
    what_the_service_writes_can_be_replayed()
    print(f"{failed} faults" if failed else "all as it should be")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
