# SPDX-License-Identifier: Apache-2.0
"""Owns: every way in which a job can end, or not end, and whatever it can say: none may hurt the
worker, and none may look like a failure of this machine."""
import os
import random
import signal
import struct

import rig
import zygotes
from rig import corpus_wire, execute_request, prepare_request

NAMES = ("ignore-signals", "close-pipe-and-burn", "burn-in-threads", "wait-for-ever", "stop-self",
         "write-for-ever", "die-by-signal", "die-by-abort", "die-by-fault")
CHECKSUM = corpus_wire.checksum(rig.ARTIFACT)

# The words of a job (worker_job_say.h): its input is ready, so many bytes, so much CPU time.
READY = b"\3" + struct.pack("<QQ", 7, 0)
FAREWELL = b"\5"
FAULT = b"\2could not be fenced"
NO_FRAME = "JobError/Panic"


def frame(body):
    return struct.pack("<Q", len(body)) + body


def error(index, text=b"x"):
    return frame(b"\1" + bytes([index]) + corpus_wire.vec(text))


# bytes, exit code, how the worker reports it
SAID = {
    "nothing": (b"", 0, NO_FRAME),
    "nothing after it was ready": (READY, 0, NO_FRAME),
    "half a word": (READY[:9], 0, NO_FRAME),
    "that the machine could not fence it": (FAULT, 0, NO_FRAME),
    "the same, with that exit": (FAULT, 70, NO_FRAME),
    "that it is fenced once more": (b"\1", 0, NO_FRAME),
    "a frame without having been ready": (frame(b"\0\2" + corpus_wire.vec(b"x")), 0, "x"),
    "the greatest of numbers": (b"\3" + b"\xff" * 16 + frame(b"\0\2\4x"), 0, "x"),
    "half a length": (READY + b"\1\0\0", 0, NO_FRAME),
    "the greatest length": (READY + b"\xff" * 8, 0, NO_FRAME),
    "a length without a body": (READY + struct.pack("<Q", 5), 0, NO_FRAME),
    "an empty frame": (READY + frame(b""), 0, NO_FRAME),
    "no such answer": (READY + frame(b"\0\5"), 0, NO_FRAME),
    "neither good nor bad": (READY + frame(b"\2"), 0, NO_FRAME),
    "a result that is none": (READY + frame(b"\0\0\xff\xff"), 0, NO_FRAME),
    "a text of 4 GiB": (READY + frame(b"\0\2\x03\xff\xff\xff\xff"), 0, NO_FRAME),
    "a text that is no text": (READY + frame(b"\0\2\x08\xff\xfe"), 0, NO_FRAME),
    "a second frame": (READY + frame(b"\0\2\4x") + frame(b"\0\2\4y"), 0, "x"),
    "a finding of the worker": (READY + frame(b"\0\4"), 0, NO_FRAME),
    "that time is over": (READY + frame(b"\1\0"), 1, "JobTimedOut"),
    "an error of the kernel": (READY + error(2), 1, "JobError/Kernel"),
    "that it has no threads": (READY + error(3), 1, "JobError/CouldNotSpawnThread"),
    "an answer, and a bad exit": (READY + frame(b"\0\2\4x"), 9, "JobError/UnexpectedExitStatus"),
    # Taken at its word: who can break it could have kept it.
    "an answer and farewell": (READY + frame(b"\0\2\4x") + FAREWELL, 0, "x"),
    "a farewell alone": (READY + FAREWELL, 0, NO_FRAME),
    "a farewell without having been ready": (frame(b"\0\2\4x") + FAREWELL, 9,
                                             "JobError/UnexpectedExitStatus"),
    "a farewell twice, and a bad exit": (READY + frame(b"\0\2\4x") + FAREWELL * 2, 9,
                                         "JobError/UnexpectedExitStatus"),
    "a farewell with nonsense": (READY + frame(b"\0\5") + FAREWELL, 0, NO_FRAME),
    "a farewell with an error": (READY + error(2) + FAREWELL, 1, "JobError/Kernel"),
}

# A prepare job's claims: what only its worker or its host find out, no job may say.
CLAIMS = {index: name if index not in (5, 6, 7, 9, 10) else "JobError"
          for index, name in enumerate(corpus_wire.PREPARE_ERRORS)}


def claim(index):
    """A job's word that its preparation ended with this error, in its right form."""
    body = b"" if index in (4, 8) else corpus_wire.vec(b"x")
    if index == 7:
        body += b"\0\0"
    if index == 10:
        body += struct.pack("<i", 1)
    return READY + frame(b"\1" + bytes([index]) + body)


def start(program, kind, on, ahead):
    return zygotes.Nursery(program) if ahead else rig.Launched(program, kind).ready(*on)


def name_of(kind, on, ahead):
    return f"{kind}, {'ahead of need' if ahead else 'all on' if on else 'always on alone'}"


# Each of these costs a job that was made ahead its zygote: it gets fewer.
CODES = {False: range(256), True: (1, 2, 70, 127, 128, 134, 255)}
NOISES = {False: 100, True: 10}
FIRSTS = {False: range(256), True: range(6)}


class Bench:
    """A worker that goes on from ending to ending; `ahead`: its jobs are made ahead of need."""

    def __init__(self, tally, program, kind, on, ahead=False):
        self.tally, self.kind, self.ahead = tally, kind, ahead
        self.worker = start(program, kind, on, ahead)
        self.where = name_of(kind, on, ahead)
        self.worker.ask_probe("say 0")
        self.fds, self.files = self.worker.fds(), self.worker.files()

    def check(self, name, got, want):
        self.tally.check(f"{self.where}: {name}", got, want)
        self.tally.begin(f"{self.where}: what is after {name}")

    def say(self, data, code):
        return self.worker.ask_probe(f"say {code} {data.hex()}")

    def close(self):
        """Nothing of all that may be left."""
        if self.ahead:
            self.check("left behind", self.worker.left_behind(), "")
            self.check("end", self.worker.end_all(), ("exit 1", True))
            return
        # Who has said farewell is seen to end after the answer.
        rig.wait_for(lambda: not rig.children(self.worker.process.pid), rig.family.PATIENCE)
        self.check("children of the worker", rig.children(self.worker.process.pid), [])
        self.check("descriptors of the worker", self.worker.fds(), self.fds)
        self.check("files of the worker", self.worker.files(), self.files)
        self.check("end", self.worker.end().rpartition(", ")[2], "exit 1")
        self.worker.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.close()
        else:
            self.worker.close()


def internal(answers):
    return sorted({a for a in answers if a.startswith("InternalError") or a in ("Kernel", "IoErr")})


def say_all(bench):
    for name, (data, code, want) in SAID.items():
        got = bench.say(data, code)
        bench.check(f"a job says {name}", got if bench.kind == "execute" else internal([got]),
                    want if bench.kind == "execute" else [])
    codes = {bench.say(b"", code) for code in CODES[bench.ahead]}
    plain = NO_FRAME if bench.kind == "execute" else "JobError"
    bench.check("every exit code, without a frame", codes, {plain})
    chance = random.Random(1)
    noise = [bench.say(chance.randbytes(chance.randrange(64)), chance.randrange(256))
             for _ in range(NOISES[bench.ahead])]
    noise += [bench.say(READY + frame(chance.randbytes(chance.randrange(64))), 0)
              for _ in range(NOISES[bench.ahead])]
    noise += [bench.say(bytes([first]) + READY, 0) for first in FIRSTS[bench.ahead]]
    bench.check("internal errors by noise", internal(noise), [])
    if bench.kind == "prepare":
        got = {index: bench.say(claim(index), 1) for index in CLAIMS}
        for index, want in CLAIMS.items():
            want = "x" if want == "Prevalidation" else "x" if want == "JobDied" else want
            bench.check(f"a job claims {corpus_wire.PREPARE_ERRORS[index]}", got[index], want)


STOPPING = {signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}
HARMLESS = {signal.SIGCHLD, signal.SIGURG, signal.SIGWINCH, signal.SIGCONT}


def die_all(bench, first_of_namespace):
    """Every signal that a job can send itself: with everything on it is only that of abort(), which
    the first process of a namespace does not take."""
    for number in range(1, 65):
        if number in (32, 33) or number in STOPPING:
            continue  # the C library's own two; those that stop are another case
        got = bench.worker.ask_probe(f"die-by-signal {number}")
        want = "done"
        if first_of_namespace:
            want = "done" if number == signal.SIGABRT else "SIGSYS"
        elif number not in HARMLESS:
            try:
                want = signal.Signals(number).name.replace("SIGIO", "SIGPOLL")
            except ValueError:
                want = ""
            if number > 33:
                want = f"SIGRT{number}"
        bench.check(f"a job raises signal {number}", got, want)
    died = bench.worker.ask_probe("die-by-abort")
    bench.check("a job aborts", died, "SIGSEGV" if first_of_namespace else "SIGABRT")
    bench.check("a job faults", bench.worker.ask_probe("die-by-fault"), "SIGSEGV")


def burn_all(bench):
    over = "JobTimedOut" if bench.kind == "execute" else "TimedOut"
    for name in ("ignore-signals", "close-pipe-and-burn", "burn-in-threads"):
        bench.check(name, bench.worker.ask_probe(name, seconds=0.2), over)


def ends_with(program, kind, on, name, deed, ahead=False):
    """Whether a job that will not end by itself ends with its worker or its host, and all else."""
    worker = start(program, kind, on, ahead)
    try:
        request = execute_request(CHECKSUM, pov=name.encode(), timeout=corpus_wire.duration(600))
        if kind == "prepare":
            request = prepare_request(name.encode(), timeout=corpus_wire.duration(600))
        if ahead:
            worker.ahead()
            # With more than 60 s a candidate gets a plain job.
            request, before = worker.request(name, 50), worker.fds()
        worker.send(request)
        # With its input goes what it is handed over with.
        jobs = rig.wait_for(lambda: rig.children(worker.process.pid) if not ahead or
                            before is None or worker.fds() < before else [])
        if not jobs:
            return "no job came to life"
        everybody = rig.family.Everybody(worker.process.pid)
        deed(worker)
        gone = everybody.goes()
        for pid in everybody.living():
            os.kill(pid, signal.SIGKILL)
        return f"{worker.exits()}, {'all gone' if gone else 'not all gone'}"
    finally:
        worker.close()


def last_ones(tally, program, kind, on, ahead=False):
    where = name_of(kind, on, ahead)
    for name in ("ignore-signals", "wait-for-ever", "stop-self"):
        if name == "stop-self" and on:
            continue  # the first process of a namespace does not stop
        tally.begin(f"{where}: {name}, the host hangs up")
        got = ends_with(program, kind, on, name, lambda w: w.socket.close(), ahead)
        tally.check(f"{where}: {name}, the host hangs up", got, "exit 1, all gone")
        tally.begin(f"{where}: {name}, the worker is killed")
        got = ends_with(program, kind, on, name, lambda w: w.process.kill(), ahead)
        tally.check(f"{where}: {name}, the worker is killed", got, "SIGKILL, all gone")


def run_execute(tally, program, on, ahead=False):
    with Bench(tally, program, "execute", on, ahead) as bench:
        say_all(bench)
        die_all(bench, bool(on))
        burn_all(bench)
        # The worker answers, then ends it, whatever it does instead of ending.
        stays = (READY + frame(b"\0\2\4x") + FAREWELL).hex()
        bench.check("a job stays after its farewell", bench.worker.ask_probe(f"stay {stays}"), "x")
        bench.check("a job writes for ever", bench.worker.ask_probe("write-for-ever"), "SIGKILL")
    last_ones(tally, program, "execute", on, ahead)


def run_prepare(tally, program, on):
    with Bench(tally, program, "prepare", on) as bench:
        say_all(bench)
        die_all(bench, bool(on))
        burn_all(bench)
        # It may send a gibibyte, for the same end as an execute job that writes for ever.
    last_ones(tally, program, "prepare", on)


def run_all(tally, program, lacking):
    for on in ((), rig.FLAGS):
        if not on or not lacking:
            run_execute(tally, program, on)
            run_prepare(tally, program, on)
