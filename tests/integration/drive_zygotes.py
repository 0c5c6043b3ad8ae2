#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""drive_zygotes.py answers|deaths|places|denials PREPARE_WORKER EXECUTE_WORKER
                 [--corpus FOLDER] [--deny PROGRAM]

An execute worker behind the whole fence makes jobs ahead of need, from a zygote for each artifact
that is used again.  No answer may show it.

answers  every candidate is run several times in one worker, the first two times by plain jobs: all
         answers are equal but for the time; so are those of artifacts that cannot run
deaths   the guard, the zygote and its job are killed or stopped at every stage: the next answers
         are right, nobody else notices, and nothing is left behind
places   limits of time; more artifacts than there are places and memory for; no room for a job
denials  machines that refuse what zygotes need, or the handshake does

--corpus FOLDER  for the answers; otherwise the candidates of tests/data
--deny PROGRAM   deny_syscall, for the denials

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
import corpus_wire  # noqa: E402
from wire import family, modules  # noqa: E402
from wire.family import GUARD, JOB, PATIENCE, ZYGOTE  # noqa: E402
from wire.suite import execute_request  # noqa: E402
from wire.worker import Worker, children, is_gone, process_fields, wait_for  # noqa: E402

ALL, RUNS, SLOTS, TRIES = b"\1" * 5, 4, 4, 12
ASKED = b"!"  # a head by which ENDLESS_IF_ASKED does not end
GIVEN_UP_AFTER, TRIED_AGAIN_AFTER = 3, 500  # failures, jobs: src/execute/zygote.c
LONG = 50.0  # seconds, more than any test lasts; for more than 60 there are no zygotes


class Tally:
    def __init__(self):
        self.good, self.faults = 0, 0
        self.deadline = family.Deadline(840)

    def check(self, name, got, want):
        self.deadline.step = f"what is after {name}"
        if got == want:
            self.good += 1
        else:
            self.faults += 1
            print(f"FAIL {name}: {got}, expected {want}", flush=True)


class Artifacts:
    """Files as a host links them, each prepared once."""

    def __init__(self, program):
        self.worker = corpus_wire.Worker(program, "prepare")
        self.scratch = tempfile.TemporaryDirectory(prefix="pvf-zygote-")
        self.known, self.count = {}, 0

    def prepared(self, code):
        """(bytes, checksum) of an artifact: of code, or of bytes that are none."""
        if code not in self.known:
            answer = corpus_wire.prepare(self.worker, code)
            good = answer.cls == "Ok"
            self.known[code] = ((answer.artifact, answer.checksum) if good else
                                (code, corpus_wire.checksum(code)))
        return self.known[code]

    def file(self, code):
        """(path, checksum), each time of a new file."""
        content, digest = self.prepared(code)
        self.count += 1
        path = os.path.join(self.scratch.name, str(self.count))
        with open(path, "wb") as file:
            file.write(content)
        return path, digest

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.worker.close()
        self.scratch.cleanup()


class Bench:
    """An execute worker that is asked about artifacts."""

    def __init__(self, artifacts, program, security=ALL, launcher=()):
        self.artifacts, self.files = artifacts, {}
        if launcher:
            program = self.starter([*launcher, program])
        self.worker = Worker(program, "execute")
        self.worker.send(security, b"\0")
        self.pid = self.worker.process.pid

    def starter(self, words):
        """A program of these words.  Shells have variables of their own, which a worker does not
        take."""
        path = os.path.join(self.artifacts.scratch.name, f"starter-{id(self)}")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\nexec env -i {" ".join(words)} "$@"\n')
        os.chmod(path, 0o755)
        return path

    def renew(self, code):
        """Another artifact for it: the worker has no bad memories of that."""
        self.files[code] = self.artifacts.file(code)

    def place(self, code):
        """The artifact is where the worker looks; its checksum."""
        if code not in self.files:
            self.renew(code)
        path, digest = self.files[code]
        place = self.worker.place("artifact")
        if os.path.lexists(place):
            os.unlink(place)
        os.link(path, place)
        return digest

    def begin(self, code, seconds=30.0, **options):
        digest = self.place(code)
        self.worker.send(execute_request(digest, timeout=corpus_wire.duration(seconds), **options))

    def ask(self, code, **options):
        self.begin(code, **options)
        return self.worker.receive()

    def name(self, code, **options):
        return self.ask(code, **options).name

    def come_to_rest(self):
        """Until it waits for the next request: what it does after an answer is done."""
        self.worker.send(execute_request(bytes(32)))
        self.worker.receive()

    def fds(self):
        """How many descriptors it has, as far as that is shown."""
        return family.count_files(self.pid)

    def family(self):
        """Living children; these tests use one artifact for which jobs wait, unless they say so."""
        return family.family(self.pid)

    def one(self, name):
        return next((pid for pid, called in self.family().items() if called == name), None)

    def waiting(self):
        return next((pid for pid in self.family() if family.waits(pid)), None)

    def has_job_or_none_to_come(self):
        return self.waiting() or set(self.family().values()) <= {GUARD}

    def ahead(self, code=modules.CONSTANT):
        """Uses an artifact until a job waits for it and there is nothing else: that job."""
        for _ in range(TRIES):
            self.place(code)
            for _ in range(3):
                self.come_to_rest()
                if self.family():
                    break
                self.ask(code)
            wait_for(self.has_job_or_none_to_come, PATIENCE)
            job = self.waiting()
            if job is not None and sorted(self.family().values()) == family.FAMILY:
                return job
            self.ask(code)
            if job is None:
                self.renew(code)
        raise RuntimeError(f"no job is made ahead of need: {family.describe(self.pid)}")

    def from_zygote(self, code, **options):
        """The answer of a job that was made ahead of need, for certain: this one is gone then, and
        the zygote is the same, unless its job did not end well."""
        for _ in range(TRIES):
            job = self.ahead(code)
            zygote = self.one(ZYGOTE)
            with family.Life(job) as life:
                answer = self.ask(code, **options)
                if not life.ends():
                    raise RuntimeError("the job that waited is still there")
            self.come_to_rest()
            # A zygote whose job was not taken is ended, and a further one may be there.
            if answer.name != "Ok" or not is_gone(zygote):
                return answer
        raise RuntimeError("never from a zygote")

    def at_rest(self, code):
        """What it holds with one job that waits."""
        self.ahead(code)
        return self.fds(), sorted(family.comm(pid) for pid in children(self.pid))

    def gone_with_it(self, deed):
        """Whether with the worker all of it ends."""
        everybody = family.Everybody(self.pid)
        deed(self)
        return everybody.goes()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.worker.close()


def without_time(body):
    """An answer but for its CPU time, and the number of a job that died."""
    if body[:1] == b"\0":
        return body[:-16] + body[-4:]
    return body[:-4] if body[:2] == b"\1\1" else body


def run_candidate(tally, bench, name, code, params):
    """The same request several times; the last ones come from a zygote."""
    bodies, ahead = [], 0
    for turn in range(RUNS):
        job = None
        if turn >= 2:
            wait_for(bench.has_job_or_none_to_come, PATIENCE)
            job = bench.waiting()
        digest = bench.place(code)
        bench.worker.send(corpus_wire.execute_request(params, digest))
        answer = bench.worker.read(int.from_bytes(bench.worker.read(8), "little"))
        bodies.append(without_time(answer))
        bench.come_to_rest()
        ahead += job is not None
    tally.check(f"{name}: different answers to one request", len(set(bodies)), 1)
    return ahead


def params_of(folder):
    """(file, parameters) of one candidate: valid ones and forgeries."""
    files = [os.path.join(folder, "validation_params.scale")]
    for kind in ("accepted", "invalid"):
        inside = os.path.join(folder, kind)
        names = sorted(os.listdir(inside)) if os.path.isdir(inside) else ()
        files += [os.path.join(inside, name) for name in names if name.endswith(".params")]
    for file in files:
        try:
            yield os.path.basename(file), corpus_wire.Params.split(corpus_wire.read_file(file))
        except ValueError:
            continue  # cannot travel in the wire's fields


def answers(tally, artifacts, args):
    here = os.path.dirname(os.path.abspath(__file__))
    for name, folder, code in corpus_wire.candidates(
            args.corpus or os.path.join(here, "..", "data")):
        with Bench(artifacts, args.execute) as bench:
            ahead = 0
            for file, params in params_of(folder):
                ahead += run_candidate(tally, bench, f"{name}/{file}",
                                       corpus_wire.read_file(code), params)
            tally.check(f"{name}: jobs were made ahead of need", ahead > 0, True)
    if args.corpus is None:
        refused(tally, artifacts, args)


def refused(tally, artifacts, args):
    """Artifacts that cannot be made to run, and start functions: each run sees the same."""
    cases = {"garbage": (b"no artifact", "RuntimeConstruction"),
             "a start function that traps": (modules.START_TRAP, "RuntimeConstruction"),
             "a start function that works": (modules.START_WORKS, "Ok"),
             "a start function without end": (modules.START_ENDLESS, "JobTimedOut")}
    for name, (code, want) in cases.items():
        with Bench(artifacts, args.execute) as bench:
            seen = []
            for _ in range(6):
                seen.append(bench.name(code, seconds=0.3 if want == "JobTimedOut" else 30.0))
                bench.come_to_rest()
                wait_for(bench.has_job_or_none_to_come, PATIENCE)
            tally.check(name, seen, [want] * 6)


def is_hurt(pid):
    """Whether what was sent to it has arrived.  A guard that is killed takes all others along, and
    stays until they are reaped."""
    fields = process_fields(pid)
    return fields is None or fields[0] in "ZXT" or "pvf-guard" == family.comm(pid) and \
        int(family.status(pid).get("ShdPnd", "0"), 16) >> (signal.SIGKILL - 1) & 1


HURT = {"killed": signal.SIGKILL, "stopped": signal.SIGSTOP}
WHO = (GUARD, ZYGOTE, JOB)


def with_all_gone(tally, name, bench):
    bench.come_to_rest()
    tally.check(f"{name}: gone with the worker",
                bench.gone_with_it(lambda bench: bench.worker.socket.close()), True)


def gone_in_use(bench, victim, code):
    """Whether it goes while the worker is used, which is when it reaps.  Until then a job that had
    its candidate may die with it."""
    def is_over():
        bench.ask(code)
        return is_gone(victim)
    return bool(wait_for(is_over, PATIENCE))


def hurt_while_waiting(tally, artifacts, args):
    """A job waits for its candidate, the worker for a request."""
    for who in WHO:
        for how, number in HURT.items():
            # Who is stopped at once may be stopped with its candidate: nobody owes an answer then.
            for at_once in (False, True) if how == "killed" else (False,):
                name = f"{who} {how} while a job waits{', at once' if at_once else ''}"
                with Bench(artifacts, args.execute) as bench:
                    before = bench.at_rest(modules.CONSTANT)
                    victim, others = bench.one(who), set(bench.family())
                    os.kill(victim, number)
                    if not at_once:
                        wait_for(lambda victim=victim: is_hurt(victim), PATIENCE)
                        if (who, how) == (GUARD, "killed"):
                            others -= {victim}
                            wait_for(lambda: all(map(is_gone, others)), PATIENCE)
                    first = bench.name(modules.CONSTANT)
                    # A job that had its candidate before it was killed has no verdict.
                    allowed = {"Ok", "JobDied"} if at_once else {"Ok"}
                    tally.check(f"{name}: first answer", {first} - allowed, set())
                    if how == "killed":
                        tally.check(f"{name}: it is gone",
                                    gone_in_use(bench, victim, modules.CONSTANT), True)
                    seen = [bench.name(modules.CONSTANT) for _ in range(2)]
                    tally.check(f"{name}: answers", seen, ["Ok"] * 2)
                    if how == "killed":
                        tally.check(f"{name}: afterwards",
                                    wait_for(lambda: bench.at_rest(modules.CONSTANT) == before,
                                             PATIENCE), True)
                    with_all_gone(tally, name, bench)


def hurt_before_the_job(tally, artifacts, args):
    """The zygote has an order for a job that it does not make."""
    deeds = {"nothing more": (), "the zygote is killed": (ZYGOTE,), "the guard is killed": (GUARD,),
             "both are killed": (ZYGOTE, GUARD)}
    for deed, victims in deeds.items():
        name = f"no job yet, {deed}"
        with Bench(artifacts, args.execute) as bench:
            before = bench.at_rest(modules.CONSTANT)
            zygote = bench.one(ZYGOTE)
            os.kill(zygote, signal.SIGSTOP)
            wait_for(lambda zygote=zygote: is_hurt(zygote), PATIENCE)
            tally.check(f"{name}: the job that waited", bench.name(modules.CONSTANT), "Ok")
            bench.come_to_rest()
            pids = [bench.one(victim) for victim in victims]
            for pid in pids:
                if pid is not None:
                    os.kill(pid, signal.SIGKILL)
            tally.check(f"{name}: answers", [bench.name(modules.CONSTANT) for _ in range(3)],
                        ["Ok"] * 3)
            tally.check(f"{name}: the zygote is gone",
                        bool(wait_for(lambda zygote=zygote: is_gone(zygote), PATIENCE)), True)
            tally.check(f"{name}: afterwards",
                        wait_for(lambda: bench.at_rest(modules.CONSTANT) == before, PATIENCE), True)
            with_all_gone(tally, name, bench)


def start_endless(tally, name, bench, seconds=LONG):
    """A job that was made ahead of need runs its candidate, and does not end by itself."""
    job = bench.ahead(modules.ENDLESS_IF_ASKED)
    before = family.ticks(job)
    bench.begin(modules.ENDLESS_IF_ASKED, head=ASKED, seconds=seconds)
    tally.check(f"{name}: the zygote's job works",
                bool(wait_for(lambda: family.ticks(job) > before + 2, PATIENCE)), True)
    return job


def hurt_while_running(tally, artifacts, args):
    """Its death is no verdict; that of its zygote is none of its business."""
    for who, want, seconds in ((JOB, "JobDied", LONG), (GUARD, "JobDied", LONG),
                               (ZYGOTE, "JobTimedOut", 1.0)):
        name = f"{who} killed while a job runs"
        with Bench(artifacts, args.execute) as bench:
            before = bench.at_rest(modules.ENDLESS_IF_ASKED)
            start_endless(tally, name, bench, seconds)
            os.kill(bench.one(who), signal.SIGKILL)
            tally.check(f"{name}: answer", bench.worker.receive().name, want)
            tally.check(f"{name}: next answers",
                        [bench.name(modules.ENDLESS_IF_ASKED) for _ in range(3)], ["Ok"] * 3)
            tally.check(f"{name}: afterwards",
                        wait_for(lambda: bench.at_rest(modules.ENDLESS_IF_ASKED) == before,
                                 PATIENCE), True)
            with_all_gone(tally, name, bench)


def made_meanwhile(bench):
    """Whether a job waits, made while another one works."""
    jobs = [pid for pid, called in bench.family().items() if called == JOB]
    waiting = bench.waiting()
    return waiting and any(family.ticks(job) > 2 for job in jobs if job != waiting)


def no_pause(tally, artifacts, args):
    """Requests that follow each other at once: the next job is made while one works, and is none
    when that one ends badly."""
    code = modules.ENDLESS_IF_ASKED
    with Bench(artifacts, args.execute) as bench:
        before = bench.at_rest(code)
        seen = False
        for _ in range(TRIES):
            bench.ahead(code)
            bench.ask(code)
            bench.begin(code, head=ASKED, seconds=1.0)
            seen = bool(wait_for(lambda: made_meanwhile(bench), 0.5))
            tally.check("no pause: answer", bench.worker.receive().name, "JobTimedOut")
            tally.check("no pause: next answers", [bench.name(code) for _ in range(3)], ["Ok"] * 3)
            if seen:
                break
        tally.check("no pause: a job is made meanwhile", seen, True)
        tally.check("no pause: afterwards",
                    wait_for(lambda: bench.at_rest(code) == before, PATIENCE), True)
        with_all_gone(tally, "no pause", bench)


def ends(tally, artifacts, args):
    """With the worker or its host all of it ends, also while a job runs."""
    deeds = {"worker killed": lambda bench: bench.worker.process.kill(),
             "host gone": lambda bench: bench.worker.socket.close()}
    for name, deed in deeds.items():
        for running in (False, True):
            with Bench(artifacts, args.execute) as bench:
                if running:
                    start_endless(tally, name, bench)
                else:
                    bench.ahead(modules.ENDLESS_IF_ASKED)
                tally.check(f"{name}, running {running}: all gone", bench.gone_with_it(deed), True)


def other_artifact(tally, artifacts, args):
    """Who serves another artifact does not notice."""
    with Bench(artifacts, args.execute) as bench:
        bench.ahead(modules.CONSTANT)
        other = bench.family()
        for _ in range(2):
            tally.check("two artifacts: answer", bench.name(modules.TRAP), "InvalidCandidate")
        bench.come_to_rest()
        wait_for(lambda: len([pid for pid in bench.family() if family.waits(pid)]) == 2, PATIENCE)
        guard = next(pid for pid, name in bench.family().items()
                     if pid not in other and name == GUARD)
        os.kill(guard, signal.SIGKILL)
        first = bench.name(modules.TRAP)
        tally.check("two artifacts: first answer", {first} - {"InvalidCandidate", "JobDied"}, set())
        tally.check("two artifacts: it is gone", gone_in_use(bench, guard, modules.TRAP), True)
        tally.check("two artifacts: answers", [bench.name(modules.TRAP) for _ in range(2)],
                    ["InvalidCandidate"] * 2)
        now = bench.family()
        tally.check("two artifacts: the other's processes",
                    {pid: name for pid, name in now.items() if pid in other}, other)
        tally.check("two artifacts: the other's answer", bench.name(modules.CONSTANT), "Ok")
        with_all_gone(tally, "two artifacts", bench)


def forgotten_failures(tally, artifacts, args):
    """A worker gives up an artifact's zygotes, and tries again many jobs later."""
    name = "zygotes given up"
    with Bench(artifacts, args.execute) as bench:
        bench.ahead(modules.CONSTANT)
        for _ in range(GIVEN_UP_AFTER):
            wait_for(bench.has_job_or_none_to_come, PATIENCE)
            job = bench.waiting()
            if job is None:
                break  # a slow machine has failures of its own
            os.kill(job, signal.SIGKILL)
            wait_for(lambda job=job: is_hurt(job), PATIENCE)
            tally.check(f"{name}: answer", bench.name(modules.CONSTANT), "Ok")
            bench.come_to_rest()
        wait_for(lambda: not bench.family(), PATIENCE)
        seen = {bench.name(modules.CONSTANT) for _ in range(10)}
        bench.come_to_rest()
        tally.check(f"{name}: answers, processes", (seen, bench.family()), ({"Ok"}, {}))
        seen = {bench.name(modules.CONSTANT) for _ in range(TRIED_AGAIN_AFTER)}
        bench.come_to_rest()
        tally.check(f"{name}: answers of many jobs", seen, {"Ok"})
        tally.check(f"{name}: there is one again", bool(wait_for(bench.waiting, PATIENCE)), True)


def deaths(tally, artifacts, args):
    for part in (hurt_while_waiting, hurt_before_the_job, hurt_while_running, no_pause, ends,
                 other_artifact, forgotten_failures):
        part(tally, artifacts, args)


def limits(tally, artifacts, args):
    with Bench(artifacts, args.execute) as bench:
        job = bench.ahead()
        tally.check("600 s: answer", bench.name(modules.CONSTANT, seconds=600.0), "Ok")
        bench.come_to_rest()
        tally.check("600 s: not from the zygote", is_gone(job), False)
        answer = bench.from_zygote(modules.CONSTANT, seconds=60.0)
        tally.check("60 s: answer", answer.name, "Ok")
        answer = bench.from_zygote(modules.CONSTANT, seconds=0.0)
        tally.check("no time: answer", answer.name, "JobTimedOut")
        # A zygote whose job did not end well is not used again.
        tally.check("no time: afterwards", wait_for(lambda: not bench.family(), PATIENCE), True)
        tally.check("no time: next answer", bench.name(modules.CONSTANT), "Ok")
        answer = bench.from_zygote(modules.CONSTANT, pov=bytes(8 << 20))
        tally.check("a big input: answer", answer.name, "Ok")
    with Bench(artifacts, args.execute) as bench:
        answer = bench.from_zygote(modules.ENDLESS_IF_ASKED, head=ASKED, seconds=0.2)
        tally.check("endless: answer", answer.name, "JobTimedOut")


def many_codes(count):
    return [modules.module(modules.packed(16, len(modules.CONSTANT_RESULT)), pages=3 + i,
                           data=(16, modules.CONSTANT_RESULT)) for i in range(count)]


def many_artifacts(tally, artifacts, args):
    """More than there are places for: the one that was not used for longest makes room."""
    codes = many_codes(SLOTS + 1)
    with Bench(artifacts, args.execute) as bench:
        tally.check("many artifacts: first answer", bench.name(codes[0]), "Ok")
        bench.come_to_rest()
        start = bench.fds()
        for turn in range(3):
            for code in codes:
                tally.check(f"many artifacts, turn {turn}: answers",
                            [bench.name(code) for _ in range(3)], ["Ok"] * 3)
                tally.check(f"many artifacts, turn {turn}: at most three for each place",
                            wait_for(lambda: len(bench.family()) <= 3 * SLOTS, PATIENCE), True)
        # Each only once in turn: all of them make room for the next, and nobody is born.
        for code in codes * 2:
            tally.check("artifacts used once: answer", bench.name(code), "Ok")
        tally.check("artifacts used once: processes",
                    wait_for(lambda: not children(bench.pid), PATIENCE), True)
        bench.come_to_rest()
        tally.check("artifacts used once: descriptors", bench.fds(), start)


def oldest_first(tally, artifacts, args):
    """The first of them is used again, the second is not: that one makes room."""
    codes = many_codes(SLOTS + 1)
    with Bench(artifacts, args.execute) as bench:
        families = []
        for code in codes[:SLOTS]:
            before = set(bench.family())
            bench.ask(code)
            bench.ask(code)
            wait_for(lambda before=before: len(set(bench.family()) - before) == 3, PATIENCE)
            families.append(set(bench.family()) - before)
        bench.ask(codes[0])
        bench.ask(codes[SLOTS])  # its answer comes before room is made, the next one's after
        bench.ask(codes[SLOTS])
        tally.check("oldest first: it is gone",
                    wait_for(lambda: not families[1] & set(bench.family()), PATIENCE), True)
        now = set(bench.family())
        kept = [bool(families[index] & now) for index in (0, 2, 3)]
        tally.check("oldest first: the others are there", kept, [True] * 3)


def low_memory(tally, artifacts, args):
    """A worker that has no room: its jobs fail as plain ones do, and later ones do not."""
    with Bench(artifacts, args.execute) as bench:
        bench.ahead()
        pages = int(corpus_wire.read_file("/proc", str(bench.pid), "statm").split()[0])
        room = pages * resource.getpagesize() + (128 << 20)
        hard = resource.prlimit(bench.pid, resource.RLIMIT_AS)[1]
        resource.prlimit(bench.pid, resource.RLIMIT_AS, (room, hard))
        tally.check("no room: others", [bench.name(modules.TRAP) for _ in range(3)],
                    ["JobError/CouldNotSpawnThread"] * 3)
        resource.prlimit(bench.pid, resource.RLIMIT_AS, (hard, hard))
        tally.check("room again", [bench.name(modules.TRAP) for _ in range(3)],
                    ["InvalidCandidate"] * 3)
        tally.check("the first one", bench.name(modules.CONSTANT), "Ok")


def places(tally, artifacts, args):
    for part in (limits, many_artifacts, oldest_first, low_memory):
        part(tally, artifacts, args)


def incomplete_fences(tally, artifacts, args):
    """Without any of what holds a zygote there is none."""
    for index, name in ((0, ""), (2, "seccomp"), (3, "change root"), (4, "secure clone")):
        security = bytearray(ALL)
        security[index] = 0
        with Bench(artifacts, args.execute, bytes(security)) as bench:
            seen = [bench.name(modules.CONSTANT) for _ in range(5)]
            tally.check(f"without {name or 'strict mode'}: answers", seen, ["Ok"] * 5)
            bench.come_to_rest()
            tally.check(f"without {name or 'strict mode'}: processes", bool(bench.family()),
                        not name)


def denials(tally, artifacts, args):
    """Machines that refuse one of the calls: the plain way for ever, or another one."""
    incomplete_fences(tally, artifacts, args)
    for call, has_zygotes in (("clone3", True), ("close_range", True), ("pidfd_open", False),
                              ("recvmsg", False), ("sendmsg", False), ("socketpair", False)):
        if args.deny is None:
            break
        with Bench(artifacts, args.execute, launcher=(args.deny, "EPERM", call, "--")) as bench:
            seen = [bench.name(modules.CONSTANT) for _ in range(8)]
            tally.check(f"{call} refused: answers", seen, ["Ok"] * 8)
            bench.come_to_rest()
            tally.check(f"{call} refused: processes", bool(bench.family()), has_zygotes)
            before = bench.fds()
            bench.name(modules.CONSTANT)
            bench.come_to_rest()
            tally.check(f"{call} refused: descriptors", bench.fds(), before)


def lacking(program):
    """What this machine lacks of the whole fence."""
    for words in (["--check-can-enable-seccomp"], ["--check-can-enable-landlock"],
                  ["--check-can-do-secure-clone"],
                  ["--check-can-unshare-user-namespace-and-change-root"]):
        with tempfile.TemporaryDirectory(prefix="pvf-check-") as folder:
            more = [folder] if words[0].endswith("root") else []
            done = subprocess.run([program, *words, *more], env={}, capture_output=True,
                                  timeout=60, check=False)
            if done.returncode != 0:
                return done.stderr.decode().strip()
    return None


PARTS = {"answers": answers, "deaths": deaths, "places": places, "denials": denials}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("prepare")
    parser.add_argument("execute")
    parser.add_argument("--corpus")
    parser.add_argument("--deny")
    args = parser.parse_args()
    why = lacking(args.execute)
    if why is not None:
        print(f"skipped: this machine has no whole fence: {why}")
        return 1 if os.environ.get("PVF_SANDBOX_MUST_WORK") == "1" else 77
    family.adopt_orphans()
    tally = Tally()
    with Artifacts(args.prepare) as artifacts:
        PARTS[args.part](tally, artifacts, args)
    tally.deadline.met()
    print(f"{tally.good} as expected, {tally.faults} not")
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main())
