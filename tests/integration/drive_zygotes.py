#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""drive_zygotes.py PREPARE_WORKER EXECUTE_WORKER [--corpus FOLDER] [--deny PROGRAM]

An execute worker behind the whole fence makes jobs ahead of need, from a zygote for each artifact
that is used again.  No answer may show it: every candidate is run several times in one worker, the
first two times by plain jobs, and all answers must be equal but for the time.  Then whatever can
happen to a zygote, to the job that waits in it and to their worker happens: the next answer must be
right, and nothing left behind.

--corpus FOLDER  runs its candidates and nothing else; otherwise those of tests/data
--deny PROGRAM   deny_syscall, to run workers on machines that refuse what zygotes need

Exit status 0 when all is well, 77 when this machine has no whole fence, which is a failure with
PVF_SANDBOX_MUST_WORK=1."""
import argparse
import os
import resource
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import corpus_wire as wire  # noqa: E402
from wire import modules  # noqa: E402
from wire.suite import execute_request  # noqa: E402
from wire.worker import children, is_gone, process_fields, wait_for  # noqa: E402

ALL, RUNS = b"\1" * 5, 4
FAMILY = ["pvf-execute-job", "pvf-guard", "pvf-zygote"]
SLOTS = 4


class Tally:
    def __init__(self):
        self.good, self.faults = 0, 0

    def check(self, name, got, want):
        if got == want:
            self.good += 1
        else:
            self.faults += 1
            print(f"FAIL {name}: {got}, expected {want}", flush=True)


def comm(pid):
    try:
        return wire.read_file("/proc", str(pid), "comm").decode().strip()
    except OSError:
        return ""


def family(pid):
    """The worker's living children by name."""
    return {child: comm(child) for child in children(pid) if not is_gone(child)}


def one_of(pid, name):
    found = [child for child, called in family(pid).items() if called == name]
    return found[0] if found else None


class Bench:
    """An execute worker, and artifacts in files of their own, as a host links them."""

    def __init__(self, prepares, program, security=ALL, launcher=()):
        self.prepares, self.scratch = prepares, tempfile.TemporaryDirectory(prefix="pvf-zygote-")
        self.files = {}
        if launcher:
            starter = os.path.join(self.scratch.name, "worker")
            words = " ".join([*launcher, program])
            with open(starter, "w", encoding="utf-8") as file:
                # Shells have variables of their own, which a worker does not take.
                file.write(f'#!/bin/sh\nexec env -i {words} "$@"\n')
            os.chmod(starter, 0o755)
            program = starter
        self.worker = wire.Worker(program, "execute", security)
        self.worker.send(b"\0")
        self.pid = self.worker.process.pid

    def file(self, code):
        """(path, checksum) of an artifact: of code, or of bytes that are none."""
        if code not in self.files:
            answer = wire.prepare(self.prepares, code)
            artifact = answer.artifact if answer.cls == "Ok" else code
            path = os.path.join(self.scratch.name, str(len(self.files)))
            with open(path, "wb") as file:
                file.write(artifact)
            digest = answer.checksum if answer.cls == "Ok" else wire.checksum(artifact)
            self.files[code] = path, digest
        return self.files[code]

    def begin(self, code, **options):
        """Sends a request; the artifact's name is gone when the answer is there."""
        path, digest = self.file(code)
        place = os.path.join(self.worker.folder, "artifact")
        if os.path.lexists(place):
            os.unlink(place)
        os.link(path, place)
        seconds = options.pop("seconds", 30.0)
        self.worker.send(execute_request(digest, timeout=wire.duration(seconds), **options))

    def ask(self, code, **options):
        self.begin(code, **options)
        return wire.answer_of(self.worker.receive(), 0.0)

    def name(self, code, **options):
        return self.ask(code, **options).cls

    def ahead(self, code=modules.CONSTANT):
        """Uses an artifact until a job waits for it: (guard, zygote, job), or what there is."""
        for _ in range(3):
            self.ask(code)
        wait_for(lambda: sorted(family(self.pid).values()) == FAMILY)
        return [one_of(self.pid, name) for name in ("pvf-guard", "pvf-zygote", "pvf-execute-job")]

    def at_rest(self):
        """How many descriptors it has once it waits for a request."""
        self.worker.send(execute_request(bytes(32)))
        self.worker.receive()
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.worker.close()
        self.scratch.cleanup()


def without_time(body):
    """An answer but for its CPU time, and the number of a job that died."""
    if body[:1] == b"\0":
        return body[:-16] + body[-4:]
    return body[:-4] if body[:2] == b"\1\1" else body


def run_candidate(tally, worker, name, path, digest, params):
    """The same request several times; the last ones must come from a zygote."""
    bodies = []
    request = wire.execute_request(wire.Params.split(params), digest)
    for turn in range(RUNS):
        waiting = one_of(worker.process.pid, "pvf-execute-job") if turn >= 2 else None
        place = os.path.join(worker.folder, "artifact")
        os.link(path, place)
        worker.send(request)
        bodies.append(without_time(worker.receive()))
        os.unlink(place)
        if turn >= 2:
            tally.check(f"{name}: run {turn} came from a zygote",
                        waiting is not None and bool(wait_for(lambda: is_gone(waiting))), True)
        if turn >= 1:
            wait_for(lambda: one_of(worker.process.pid, "pvf-execute-job") is not None)
    tally.check(f"{name}: different answers to one request", len(set(bodies)), 1)
    return bodies[0]


def run_corpus(tally, prepares, program, corpus):
    """Workers for one artifact each, so that only one job waits."""
    artifacts, scratch = {}, tempfile.TemporaryDirectory(prefix="pvf-zygote-")
    with scratch:
        for name, folder, code in wire.candidates(corpus):
            if code not in artifacts:
                answer = wire.prepare(prepares, wire.read_file(code))
                path = os.path.join(scratch.name, str(len(artifacts)))
                with open(path, "wb") as file:
                    file.write(answer.artifact)
                artifacts[code] = path, answer.checksum
            path, digest = artifacts[code]
            files = [os.path.join(folder, "validation_params.scale")]
            for kind in ("accepted", "invalid"):
                inside = os.path.join(folder, kind)
                files += [os.path.join(inside, file) for file in
                          (sorted(os.listdir(inside)) if os.path.isdir(inside) else ())
                          if file.endswith(".params")]
            with wire.Worker(program, "execute", ALL) as worker:
                worker.send(b"\0")
                for file in files:
                    label = f"{name}/{os.path.basename(file)}"
                    params = wire.read_file(file)
                    try:
                        wire.Params.split(params)
                    except ValueError:
                        continue  # cannot travel in the wire's fields
                    run_candidate(tally, worker, label, path, digest, params)
            print(f"{name}: {len(files)} files, {tally.faults} faults so far", flush=True)


HURT = {"killed": signal.SIGKILL, "stopped": signal.SIGSTOP}


def hurt_each(tally, prepares, program):
    """Whoever is killed or stopped while nothing runs: the next answers are right."""
    for index, who in enumerate(("guard", "zygote", "job")):
        for how, number in HURT.items():
            with Bench(prepares, program) as bench:
                everybody = bench.ahead()
                victim = everybody[index]
                before = bench.at_rest()
                os.kill(victim, number)
                # A guard that is killed takes the others along, and waits until they are reaped.
                seen_at = everybody[1:] if (who, how) == ("guard", "killed") else [victim]
                wait_for(lambda: all(is_gone(pid) or process_fields(pid)[0] == "T"
                                     for pid in seen_at))
                seen = [bench.name(modules.CONSTANT) for _ in range(3)]
                tally.check(f"{who} {how}: answers", seen, ["Ok"] * 3)
                if (who, how) != ("guard", "stopped"):
                    tally.check(f"{who} {how}: it is gone",
                                bool(wait_for(lambda: is_gone(victim))), True)
                bench.ahead()
                tally.check(f"{who} {how}: afterwards", sorted(family(bench.pid).values()), FAMILY)
                tally.check(f"{who} {how}: descriptors", bench.at_rest(), before)
                everybody = family(bench.pid)
                bench.worker.socket.close()
                tally.check(f"{who} {how}: gone with the worker",
                            bool(wait_for(lambda: all(map(is_gone, everybody)))), True)


def ends(tally, prepares, program):
    """With the worker or its host all of it ends, also while a job runs."""
    deeds = {"worker killed": lambda bench: bench.worker.process.kill(),
             "host gone": lambda bench: bench.worker.socket.close()}
    for name, deed in deeds.items():
        for running in (False, True):
            with Bench(prepares, program) as bench:
                job = bench.ahead(modules.ENDLESS_IF_ASKED)[2]
                if running:
                    bench.begin(modules.ENDLESS_IF_ASKED, head=b"!", seconds=50.0)
                    tally.check(f"{name}: the zygote's job works",
                                bool(wait_for(lambda: busy(job))), True)
                everybody = family(bench.pid)
                deed(bench)
                tally.check(f"{name}, running {running}: all gone",
                            bool(wait_for(lambda: all(map(is_gone, everybody)))), True)


def busy(pid):
    fields = process_fields(pid)
    return fields is not None and int(fields[11]) + int(fields[12]) >= 3


def limits(tally, prepares, program):
    with Bench(prepares, program) as bench:
        job = bench.ahead()[2]
        tally.check("600 s: answer", bench.name(modules.CONSTANT, seconds=600.0), "Ok")
        tally.check("600 s: not from the zygote", is_gone(job), False)
        tally.check("60 s: answer", bench.name(modules.CONSTANT, seconds=60.0), "Ok")
        tally.check("60 s: from the zygote", bool(wait_for(lambda: is_gone(job))), True)
        job = bench.ahead()[2]
        tally.check("no time: answer", bench.name(modules.CONSTANT, seconds=0.0), "JobTimedOut")
        tally.check("no time: from the zygote", bool(wait_for(lambda: is_gone(job))), True)
        # A zygote whose job did not end well is not used again.
        tally.check("no time: afterwards", wait_for(lambda: not family(bench.pid)), True)
        tally.check("no time: next answer", bench.name(modules.CONSTANT), "Ok")
        job = bench.ahead()[2]
        # What it used while it was made and waited does not count.
        os.kill(job, signal.SIGCONT)
        tally.check("a big input: answer",
                    bench.name(modules.CONSTANT, pov=bytes(8 << 20), seconds=5.0), "Ok")
        tally.check("a big input: from the zygote", bool(wait_for(lambda: is_gone(job))), True)
    with Bench(prepares, program) as bench:
        bench.ahead(modules.ENDLESS_IF_ASKED)
        job = one_of(bench.pid, "pvf-execute-job")
        tally.check("endless: answer",
                    bench.name(modules.ENDLESS_IF_ASKED, head=b"!", seconds=0.2), "JobTimedOut")
        tally.check("endless: from the zygote", bool(wait_for(lambda: is_gone(job))), True)


def many_artifacts(tally, prepares, program):
    """More than there are places for, in turn; one in place of another."""
    codes = [modules.module(modules.packed(16, len(modules.CONSTANT_RESULT)), pages=3 + i,
                            data=(16, modules.CONSTANT_RESULT)) for i in range(SLOTS + 1)]
    with Bench(prepares, program) as bench:
        for turn in range(3):
            for code in codes:
                seen = [bench.name(code) for _ in range(3)]
                tally.check(f"many artifacts, turn {turn}: answers", seen, ["Ok"] * 3)
                tally.check(f"many artifacts, turn {turn}: at most three for each place",
                            len(family(bench.pid)) <= 3 * SLOTS, True)
        last = bench.at_rest()
        for code in codes * 2:
            bench.ask(code)
            bench.ask(code)
        tally.check("many artifacts: descriptors", bench.at_rest(), last)
        # Each only once in turn: all of them make room for the next, and nobody is born.
        before = set(family(bench.pid))
        for code in codes * 2:
            tally.check("artifacts used once: answer", bench.name(code), "Ok")
        bench.at_rest()
        tally.check("artifacts used once: new processes", set(family(bench.pid)) - before, set())
    with Bench(prepares, program) as bench:
        bench.ahead()
        seen = [bench.name(code) for code in
                (modules.TRAP, modules.CONSTANT, modules.TRAP, modules.TRAP, modules.TRAP,
                 modules.CONSTANT, modules.TRAP)]
        bad, good = "InvalidCandidate", "Ok"
        tally.check("another in its place: answers", seen, [bad, good, bad, bad, bad, good, bad])


def refused(tally, prepares, program):
    """Artifacts that cannot be made to run, and start functions: each run sees the same."""
    cases = {"garbage": (b"no artifact", "RuntimeConstruction"),
             "a start function that traps": (modules.START_TRAP, "RuntimeConstruction"),
             "a start function that works": (modules.START_WORKS, "Ok"),
             "a start function without end": (modules.START_ENDLESS, "JobTimedOut")}
    for name, (code, want) in cases.items():
        with Bench(prepares, program) as bench:
            seen = [bench.name(code, seconds=0.3 if want == "JobTimedOut" else 30.0)
                    for _ in range(6)]
            tally.check(name, seen, [want] * 6)


def low_memory(tally, prepares, program):
    """A worker that has no room: its jobs fail as plain ones do, and later ones do not."""
    with Bench(prepares, program) as bench:
        bench.ahead()
        pages = int(wire.read_file("/proc", str(bench.pid), "statm").split()[0])
        room = pages * resource.getpagesize() + (128 << 20)
        hard = resource.prlimit(bench.pid, resource.RLIMIT_AS)[1]
        resource.prlimit(bench.pid, resource.RLIMIT_AS, (room, hard))
        other = [bench.name(modules.TRAP) for _ in range(3)]
        tally.check("no room: others", other, ["JobError/CouldNotSpawnThread"] * 3)
        resource.prlimit(bench.pid, resource.RLIMIT_AS, (hard, hard))
        tally.check("room again", [bench.name(modules.TRAP) for _ in range(3)],
                    ["InvalidCandidate"] * 3)
        tally.check("the first one", bench.name(modules.CONSTANT), "Ok")


def incomplete_fences(tally, prepares, program):
    """Without any of what holds a zygote there is none."""
    for index, name in ((0, ""), (2, "seccomp"), (3, "change root"), (4, "secure clone")):
        security = bytearray(ALL)
        security[index] = 0
        with Bench(prepares, program, bytes(security)) as bench:
            seen = [bench.name(modules.CONSTANT) for _ in range(5)]
            tally.check(f"without {name or 'strict mode'}: answers", seen, ["Ok"] * 5)
            bench.at_rest()
            tally.check(f"without {name or 'strict mode'}: processes",
                        bool(family(bench.pid)), not name)


def denials(tally, prepares, program, deny):
    """Machines that refuse one of the calls: the plain way for ever, or another one."""
    for call, has_zygotes in (("clone3", True), ("close_range", True), ("pidfd_open", False),
                              ("recvmsg", False), ("sendmsg", False), ("socketpair", False)):
        with Bench(prepares, program, launcher=(deny, "EPERM", call, "--")) as bench:
            seen = [bench.name(modules.CONSTANT) for _ in range(8)]
            tally.check(f"{call} refused: answers", seen, ["Ok"] * 8)
            bench.at_rest()
            tally.check(f"{call} refused: processes", bool(family(bench.pid)), has_zygotes)
            before = bench.at_rest()
            bench.name(modules.CONSTANT)
            tally.check(f"{call} refused: descriptors", bench.at_rest(), before)


def lacking(program):
    """What this machine lacks of the whole fence."""
    for words in (["--check-can-enable-seccomp"], ["--check-can-enable-landlock"],
                  ["--check-can-do-secure-clone"],
                  ["--check-can-unshare-user-namespace-and-change-root"]):
        with tempfile.TemporaryDirectory(prefix="pvf-check-") as folder:
            more = [folder] if words[0].endswith("root") else []
            done = subprocess.run([program, *words, *more], env={}, capture_output=True, check=False)
            if done.returncode != 0:
                return done.stderr.decode().strip()
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("prepare")
    parser.add_argument("execute")
    parser.add_argument("--corpus")
    parser.add_argument("--deny")
    args = parser.parse_args()
    here = os.path.dirname(os.path.abspath(__file__))
    tally, why = Tally(), lacking(args.execute)
    if why is not None:
        print(f"skipped: this machine has no whole fence: {why}")
        return 1 if os.environ.get("PVF_SANDBOX_MUST_WORK") == "1" else 77
    with wire.Worker(args.prepare, "prepare") as prepares:
        run_corpus(tally, prepares, args.execute, args.corpus or os.path.join(here, "..", "data"))
        if args.corpus is None:
            for part in (hurt_each, ends, limits, many_artifacts, refused, low_memory,
                         incomplete_fences):
                part(tally, prepares, args.execute)
                print(f"{part.__name__}: {tally.faults} faults so far", flush=True)
            if args.deny:
                denials(tally, prepares, args.execute, args.deny)
    print(f"{tally.good} as expected, {tally.faults} not")
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main())
