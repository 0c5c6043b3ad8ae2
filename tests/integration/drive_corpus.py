#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""drive_corpus.py PREPARE_WORKER EXECUTE_WORKER [--corpus FOLDER] [--only NAME] [--no-garbage]
                [--strict] [--security BITS]

Runs every candidate of a corpus through a pair of workers, by the socket protocol: the good one
must give expected_result.scale byte for byte, each accepted/*.params its .result, and each
invalid/*.params must be refused as invalid.  Then it feeds garbage at every door: blob, artifact,
PoV, parameters, frames and arguments.  Any pair of workers can be given: what is asked for here
is the protocol, not one implementation.  --strict adds what docs/differences.md promises beyond the
reference: no leaks, no orphans, every death of a job named.

The corpus is tests/data, or a folder with pvf/ and candidates/.  Exit status 0 when all agree."""
import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import corpus_wire as wire  # noqa: E402

# The two mutations that no field of the wire can carry; the executor's own test feeds them raw.
UNSENDABLE = {"params-truncated", "params-trailing-byte"}
ADDER = "adder"


class Count:
    def __init__(self):
        self.good = self.skipped = 0
        self.faults = []

    def check(self, name, got, want):
        if got == want:
            self.good += 1
        else:
            self.faults.append(f"{name}: {got}, expected {want}")
            print(f"FAIL {self.faults[-1]}", flush=True)

    def skip(self, name, why):
        self.skipped += 1
        print(f"skip {name}: {why}")


def outcome(answer, expected=None):
    """One word for an answer; an Ok is only Ok when the result is the expected one."""
    if answer.cls != "Ok" or expected is None or answer.result == expected:
        return answer.cls
    return f"Ok with another result ({len(answer.result)} bytes, {answer.result[:40].hex()}…)"


class Prepares:
    """Each code is prepared once; its artifact lies in a file that jobs link."""

    def __init__(self, program, security, scratch):
        self.worker = wire.Worker(program, "prepare", security)
        self.scratch = scratch
        self.known = {}

    def get(self, code_path):
        if code_path not in self.known:
            answer = wire.prepare(self.worker, wire.read_file(code_path))
            path = os.path.join(self.scratch, f"{len(self.known)}.pvf")
            if answer.cls == "Ok":
                with open(path, "wb") as file:
                    file.write(answer.artifact)
            self.known[code_path] = (answer._replace(artifact=None), path)
        return self.known[code_path]


def run_file(count, worker, name, artifact, digest, path, expected):
    try:
        params = wire.Params.split(wire.read_file(path))
    except ValueError as error:
        stem = os.path.basename(path).rsplit(".", 1)[0]
        if stem in UNSENDABLE:
            count.skip(name, f"cannot travel in the wire's fields ({error})")
        else:
            count.check(name, f"unreadable: {error}", "ValidationParams")
        return
    want = "InvalidCandidate" if expected is None else "Ok"
    answer = wire.execute(worker, artifact, digest, params)
    count.check(name, outcome(answer, expected), want)


def run_candidate(count, prepares, worker, name, folder, code):
    prepared, artifact = prepares.get(code)
    if prepared.cls != "Ok":
        count.check(f"{name}: prepare", f"{prepared.cls} {prepared.text}", "Ok")
        return
    expected = wire.read_file(folder, "expected_result.scale")
    run_file(count, worker, name, artifact, prepared.checksum,
             os.path.join(folder, "validation_params.scale"), expected)
    for kind in ("accepted", "invalid"):
        inside = os.path.join(folder, kind)
        for file in sorted(os.listdir(inside)) if os.path.isdir(inside) else ():
            if not file.endswith(".params"):
                continue
            result = None
            if kind == "accepted":
                result = wire.read_file(inside, file[:-len(".params")] + ".result")
            run_file(count, worker, f"{name}/{kind}/{file}", artifact, prepared.checksum,
                     os.path.join(inside, file), result)


def run_corpus(count, prepares, execute_program, security, corpus, only):
    found = [c for c in wire.candidates(corpus) if only is None or c[0] == only]
    if not found:
        count.check(corpus, "no candidate", "candidates")
    with wire.Worker(execute_program, "execute", security) as worker:
        worker.send(b"\0")
        for name, folder, code in found:
            before = count.good, len(count.faults), count.skipped
            run_candidate(count, prepares, worker, name, folder, code)
            after = count.good, len(count.faults), count.skipped
            good, bad, skipped = (b - a for a, b in zip(before, after))
            print(f"{name}: {good} as expected, {bad} not, {skipped} skipped", flush=True)


def garbage_code(count, prepares, code):
    """Hostile blobs, each followed by nothing worse than its own refusal."""
    worker, blob = prepares.worker, wire.read_file(code)
    garbage = bytes(range(256)) * 4
    low_memory = b"\4\4" + (1 << 20).to_bytes(8, "little")
    cases = (
        ("empty blob", b"", {}, "Prevalidation"),
        ("random bytes", garbage, {}, "Prevalidation"),
        ("another version of Wasm", b"\0asm\2\0\0\0", {}, "Prevalidation"),
        ("half a module", blob[:len(blob) // 2], {}, "Prevalidation"),
        ("a section longer than the module", b"\0asm\1\0\0\0\1\x7f\1", {}, "Prevalidation"),
        ("random bytes behind the magic", wire.MAGIC + garbage, {}, "CouldNotDecompressCodeBlob"),
        ("only the magic", wire.MAGIC, {}, "CouldNotDecompressCodeBlob"),
        ("half a compressed blob", wire.MAGIC + wire.zstd_raw(blob)[:9999], {},
         "CouldNotDecompressCodeBlob"),
        ("a bomb", wire.MAGIC + wire.zstd_zeros((1 << 20) + 1), {"limit": 1 << 20},
         "CouldNotDecompressCodeBlob"),
        ("zeros up to the limit", wire.MAGIC + wire.zstd_zeros(1 << 20), {"limit": 1 << 20},
         "Prevalidation"),
        ("no CPU time", blob, {"seconds": 0.0}, "TimedOut"),
        ("one MiB of memory", blob, {"params": low_memory}, "OutOfMemory"),
        ("good code, after all that", blob, {"kind": 1}, "Ok"),
        ("good code, compressed", wire.MAGIC + wire.zstd_raw(blob), {}, "Ok"),
    )
    for name, data, options, want in cases:
        count.check(f"code: {name}", wire.prepare(worker, data, **options).cls, want)


def at_rest(worker, path, params):
    """A worker's descriptors.  After an answer it may prepare for the next request; before it finds
    another checksum it has done so."""
    wire.execute(worker, path, bytes(32), params)
    return len(os.listdir(f"/proc/{worker.process.pid}/fd"))


def garbage_execute(count, prepares, program, security, folder, code):
    """Damaged artifacts and PoVs; the worker must go on serving after each."""
    prepared, path = prepares.get(code)
    artifact, digest = wire.read_file(path), prepared.checksum
    good = wire.Params.split(wire.read_file(folder, "validation_params.scale"))
    expected = wire.read_file(folder, "expected_result.scale")
    noise, stub = bytes(range(200)), artifact[:4096]
    big = wire.MAGIC + wire.zstd_zeros((40 << 20) + 1)
    cases = (
        ("garbage artifact of the right checksum", noise, wire.checksum(noise), {},
         "RuntimeConstruction"),
        ("empty artifact of the right checksum", b"", wire.checksum(b""), {},
         "RuntimeConstruction"),
        ("first page of an artifact", stub, wire.checksum(stub), {}, "RuntimeConstruction"),
        ("garbage artifact", noise, digest, {}, "CorruptedArtifact"),
        ("another checksum", artifact, bytes(32), {}, "CorruptedArtifact"),
        ("truncated artifact", artifact[:-1], digest, {}, "CorruptedArtifact"),
        ("random bytes behind the magic", path, digest, {"pov": wire.MAGIC + noise},
         "PoVDecompressionFailure"),
        ("only the magic", path, digest, {"pov": wire.MAGIC}, "PoVDecompressionFailure"),
        ("half a compressed PoV", path, digest,
         {"pov": wire.MAGIC + wire.zstd_raw(good.block)[:-1]}, "PoVDecompressionFailure"),
        ("a bomb", path, digest, {"pov": big}, "PoVDecompressionFailure"),
        ("empty PoV", path, digest, {"pov": b""}, "InvalidCandidate"),
        ("garbage PoV", path, digest, {"pov": noise}, "InvalidCandidate"),
        ("no CPU time", path, digest, {"seconds": 0.0}, "JobTimedOut"),
        ("good PoV, compressed", path, digest,
         {"pov": wire.MAGIC + wire.zstd_raw(good.block)}, "Ok"),
        ("descriptor version of the future", path, digest, {"version": b"\3\x09"}, "Ok"),
        ("good PoV, after all that", path, digest, {}, "Ok"),
    )
    with wire.Worker(program, "execute", security) as worker:
        worker.send(b"\0")
        for name, content, asked, options, want in cases:
            try:
                answer = wire.execute(worker, content, asked, good, **options)
                got = outcome(answer, expected if want == "Ok" else None)
            except EOFError:
                got = "no answer"
            count.check(f"execute: {name}", got, want)
        for _ in range(3):
            wire.execute(worker, path, digest, good)
        descriptors = at_rest(worker, path, good)
        for _ in range(20):
            wire.execute(worker, path, digest, good)
        count.check("execute: descriptors left behind by 20 jobs",
                    at_rest(worker, path, good) - descriptors, 0)
    ends = (
        ("artifact missing", lambda w: wire.execute(w, None, digest, good).cls,
         "InternalError/CouldNotOpenFile"),
        ("undecodable request", lambda w: talk(w, b"\xff\xff\xff"),
         "InternalError/HostCommunication"),
        ("empty request", lambda w: talk(w, b""), "InternalError/HostCommunication"),
        ("unknown descriptor version",
         lambda w: talk(w, wire.execute_request(good, digest, version=b"\4")),
         "InternalError/HostCommunication"),
    )
    for name, step, want in ends:
        with wire.Worker(program, "execute", security) as worker:
            worker.send(b"\0")
            count.check(f"execute: {name}", (step(worker), worker.exit_code()), (want, 1))
    unknown, twice = b"\4\x2a", b"\x08\7"
    for name, params in (("unknown", unknown), ("truncated", twice), ("absent", b"")):
        with wire.Worker(program, "execute", security) as worker:
            worker.send(params)
            count.check(f"execute: {name} executor parameters",
                        (received(worker), worker.exit_code()),
                        ("InternalError/HostCommunication", 1))


def endless_module():
    """A PVF whose validate_block never returns."""
    def section(number, body):
        return bytes([number, len(body)]) + body

    def export(name, kind):
        return bytes([len(name)]) + name + bytes([kind, 0])

    exports = export(b"memory", 2) + export(b"__heap_base", 3) + export(b"validate_block", 0)
    return (b"\0asm\1\0\0\0" +
            section(1, bytes.fromhex("0160027f7f017e")) +  # one type: (i32, i32) -> i64
            section(3, b"\1\0") + section(5, b"\1\0\1") +  # one function, one page
            section(6, bytes.fromhex("017f004180080b")) +  # __heap_base = 1024
            section(7, b"\3" + exports) +
            section(10, b"\1\x08" + bytes.fromhex("0003400c000b000b")))  # loop br 0 end


def children(pid):
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = wire.read_file("/proc", entry, "stat").decode(errors="replace")
            except OSError:
                continue  # it ended meanwhile
            if int(stat.rpartition(")")[2].split()[1]) == pid:
                found.append(int(entry))
    return found


def cpu_ticks(pid):
    stat = wire.read_file("/proc", str(pid), "stat").decode(errors="replace")
    return sum(int(field) for field in stat.rpartition(")")[2].split()[11:13])


def wait_for(what, seconds=15.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = what()
        if value:
            return value
        time.sleep(0.005)
    return None


def gone(pid):
    try:
        stat = wire.read_file("/proc", str(pid), "stat").decode(errors="replace")
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] in "ZX"


class Endless:
    """An execute worker with a job that runs until something ends it."""

    def __init__(self, program, security, artifact, digest, seconds):
        self.worker = wire.Worker(program, "execute", security)
        with open(os.path.join(self.worker.folder, "artifact"), "wb") as file:
            file.write(artifact)
        self.worker.send(b"\0")
        params = wire.Params(b"", b"", 0, bytes(32), b"")
        self.worker.send(wire.execute_request(params, digest, seconds=seconds))
        found = wait_for(lambda: children(self.worker.process.pid))
        self.job = found[0] if found else None
        # Busy: what ends it before it has begun to work is no death of a job.
        wait_for(lambda: cpu_ticks(self.job) >= 3)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.job is not None and not gone(self.job):
            os.kill(self.job, signal.SIGKILL)
        self.worker.close()


def deaths(count, prepares, program, security, strict):
    """However a job ends, the candidate gets an answer of the right class."""
    made = wire.prepare(prepares.worker, endless_module())
    if made.cls != "Ok":
        count.check("endless code: prepare", f"{made.cls} {made.text}", "Ok")
        return
    with Endless(program, security, made.artifact, made.checksum, 1.0) as run:
        count.check("endless code: CPU limit", received(run.worker), "JobTimedOut")
        count.check("endless code: the job is gone", bool(wait_for(lambda: gone(run.job))), True)
    signals = [signal.SIGKILL]
    if not any(security):
        # In a PID namespace of its own a job takes no other signal from outside.
        signals += [signal.SIGSYS, signal.SIGABRT]
        # The reference cannot name a real-time signal, and calls that an internal error.
        signals += [signal.SIGRTMIN + 3] if strict else []
    for number in signals:
        with Endless(program, security, made.artifact, made.checksum, 60.0) as run:
            os.kill(run.job, number)
            count.check(f"job killed by signal {int(number)}", received(run.worker), "JobDied")
    if not strict:
        return
    with Endless(program, security, made.artifact, made.checksum, 60.0) as run:
        run.worker.socket.close()
        count.check("host gone: the job is gone", bool(wait_for(lambda: gone(run.job))), True)
        count.check("host gone: exit code", run.worker.ended(), 1)
    with Endless(program, security, made.artifact, made.checksum, 60.0) as run:
        run.worker.process.kill()
        count.check("worker killed: the job is gone", bool(wait_for(lambda: gone(run.job))), True)


def no_leaks(count, prepares, program, security, folder, code):
    """A PoV that does not decompress costs the reference's worker two descriptors each."""
    prepared, path = prepares.get(code)
    good = wire.Params.split(wire.read_file(folder, "validation_params.scale"))
    with wire.Worker(program, "execute", security) as worker:
        worker.send(b"\0")
        for _ in range(3):
            wire.execute(worker, path, prepared.checksum, good)
        before = at_rest(worker, path, good)
        for pov in (wire.MAGIC, b"", wire.MAGIC + b"x") * 10:
            wire.execute(worker, path, prepared.checksum, good, pov=pov)
        after = at_rest(worker, path, good)
        count.check("execute: descriptors left behind by 30 bad PoVs", after - before, 0)


def talk(worker, body):
    worker.send(body)
    return received(worker)


def received(worker):
    try:
        return wire.answer_of(worker.receive(), 0.0).cls
    except EOFError:
        return "no answer"
    except TimeoutError:
        return "no answer in time"


def garbage_frames(count, prepare_program, execute_program, security, code):
    """Whatever is no message ends the worker with exit 1; a preparing one gives no answer."""
    blob = wire.read_file(code)
    request = wire.prepare_request(blob)
    cases = (
        ("prepare", "end of the connection", b""),
        ("prepare", "half a length", b"\5\0\0"),
        ("prepare", "half a request", wire.frame(request)[:-1]),
        ("prepare", "request of one byte", wire.frame(b"\xff")),
        ("prepare", "empty request", wire.frame(b"")),
        ("prepare", "request without its last field", wire.frame(request[:-1])),
        ("prepare", "unknown kind of preparation", wire.frame(request[:-1] + b"\7")),
        ("prepare", "unknown executor parameter",
         wire.frame(wire.prepare_request(blob, params=b"\4\0"))),
        ("prepare", "a length of 2^40", (1 << 40).to_bytes(8, "little") + b"x"),
    )
    for kind, name, data in cases:
        with wire.Worker(prepare_program, kind, security) as worker:
            worker.send_raw(data)
            code_at_end = worker.exit_code()
            try:
                worker.read(1)
                got = "an answer"
            except EOFError:
                got = "no answer"
            count.check(f"{kind}: {name}", (got, code_at_end), ("no answer", 1))
    handshakes = (("four bytes", bytes(4)), ("no boolean", b"\0\0\2\0\0"), ("nothing", b""))
    for kind, program in (("prepare", prepare_program), ("execute", execute_program)):
        for name, body in handshakes:
            with wire.Worker(program, kind, None) as worker:
                worker.send(body)
                count.check(f"{kind}: handshake of {name}", worker.exit_code(), 1)


def arguments(count, kind, other, program):
    def run(*words):
        return subprocess.run([program, *words], env={}, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=30, check=False)

    folder = ("--worker-dir-path", tempfile.gettempdir())
    nowhere = ("--socket-path", os.path.join(tempfile.gettempdir(), "no-such-socket"))
    version = run("--version")
    count.check(f"{kind}: --version", (version.returncode, version.stdout.count(b"\n")), (0, 1))
    cases = (
        ((), 0), (("--help",), 0), (("-v",), 0), (("--full-version",), 0), (("-V",), 101),
        ((f"{other}-worker",), 101), ((f"{kind}-worker",), 101),
        ((f"{kind}-worker", *folder), 101), ((f"{kind}-worker", *nowhere), 101),
        ((f"{kind}-worker", "--socket-path"), 101), ((f"{kind}-worker", "--what", "x"), 101),
        ((f"{kind}-worker", *nowhere, *folder), 1),
        ((f"{kind}-worker", "--socket-path", "x" * 200, *folder), 1),
        ((f"{kind}-worker", *nowhere, "--worker-dir-path", "/nonexistent"), 1),
    )
    for words, want in cases:
        shown = " ".join(word if len(word) < 100 else word[:9] + "…" for word in words)
        count.check(f"{kind}: arguments «{shown}»", run(*words).returncode, want)
    # A worker of another version asks its node to end.  A stand-in takes the signal.
    node = subprocess.run(
        [sys.executable, "-c", "import subprocess, sys; subprocess.run(sys.argv[1:])", program,
         f"{kind}-worker", "--node-impl-version", "0.0.0-other", *nowhere, *folder],
        stderr=subprocess.DEVNULL, timeout=30, check=False)
    count.check(f"{kind}: another version of the node", node.returncode, -signal.SIGTERM)


def honest_sandbox(count, kind, program):
    """In secure mode, a mechanism that the worker's own check denies must end its start."""
    checks = ("landlock", "seccomp")
    for bit, name in enumerate(checks, 1):
        check = subprocess.run([program, f"--check-can-enable-{name}"], env={}, timeout=30,
                               capture_output=True, check=False)
        if check.returncode == 0:
            continue
        count.check(f"{kind}: --check-can-enable-{name} says why", bool(check.stderr.strip()), True)
        security = bytearray(b"\1\0\0\0\0")
        security[bit] = 1
        with wire.Worker(program, kind, bytes(security)) as worker:
            count.check(f"{kind}: secure start with {name}", worker.exit_code(), 1)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("prepare_worker")
    parser.add_argument("execute_worker")
    parser.add_argument("--corpus", default=os.path.join(here, "..", "data"))
    parser.add_argument("--only", help="run only this candidate of the corpus")
    parser.add_argument("--no-garbage", action="store_true")
    parser.add_argument("--strict", action="store_true", help="more than the reference keeps")
    parser.add_argument("--security", default="00000", help="the handshake's five flags")
    args = parser.parse_args()
    security = bytes(int(bit) for bit in args.security)
    count = Count()
    with tempfile.TemporaryDirectory() as scratch:
        prepares = Prepares(args.prepare_worker, security, scratch)
        with prepares.worker:
            run_corpus(count, prepares, args.execute_worker, security, args.corpus, args.only)
            adder = [c for c in wire.candidates(args.corpus) if c[0] == ADDER]
            if adder and not args.no_garbage:
                _, folder, code = adder[0]
                garbage_code(count, prepares, code)
                garbage_execute(count, prepares, args.execute_worker, security, folder, code)
                deaths(count, prepares, args.execute_worker, security, args.strict)
                if args.strict:
                    no_leaks(count, prepares, args.execute_worker, security, folder, code)
                garbage_frames(count, args.prepare_worker, args.execute_worker, security, code)
                arguments(count, "prepare", "execute", args.prepare_worker)
                arguments(count, "execute", "prepare", args.execute_worker)
                honest_sandbox(count, "prepare", args.prepare_worker)
                honest_sandbox(count, "execute", args.execute_worker)
    print(f"{count.good} as expected, {len(count.faults)} not, {count.skipped} skipped")
    return 1 if count.faults or count.good == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
