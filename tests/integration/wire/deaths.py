# SPDX-License-Identifier: Apache-2.0
"""Cases of jobs that are ended from outside, and of hosts and workers that end while a job runs."""
import os
import signal

import corpus_wire

from . import modules
from .frames import SAID, SILENT
from .suite import Skip, add, case, descriptors, execute_request, prepare_request
from .worker import Silent, children, is_gone, process_fields, wait_for

SLOW = modules.slow_to_compile()


class Running:
    """A worker with a job that runs until something ends it."""

    def __init__(self, t, kind, seconds=60.0):
        timeout = corpus_wire.duration(seconds)
        if kind == "prepare":
            self.worker = t.worker(kind)
            request = prepare_request(SLOW, timeout=timeout)
        else:
            self.worker, checksum = t.executor(modules.ENDLESS)
            request = execute_request(checksum, timeout=timeout)
        self.worker.send(request)
        self.job = None
        if not wait_for(self.runs):
            self.close()
            raise Silent("no job came to life")

    def runs(self):
        """Whether the job is past its start: only then is it a job and no copy of its worker."""
        if not self.worker.waits(0):
            name = self.worker.answer_or_end()
            self.close()
            raise Silent(f"the job ended at once: {name}")
        if self.job is None:
            self.job = next(iter(children(self.worker.process.pid)), None)
        return self.job is not None and cpu_ticks(self.job) >= 5

    def close(self):
        if self.job is not None and not is_gone(self.job):
            os.kill(self.job, signal.SIGKILL)
        self.worker.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def cpu_ticks(pid):
    fields = process_fields(pid)
    return int(fields[11]) + int(fields[12]) if fields else 0


def _killed(t, kind, number):
    """The answer after a signal to the job, and the worker's end after one more request."""
    with Running(t, kind) as run:
        os.kill(run.job, number)
        answer = run.worker.receive()
        text = answer.text if answer.name == "JobDied" else ""
        own = "" if answer.pid in (None, run.job) else ", of another process"
        return f"{answer.name}{own} {text}, {run.worker.end()}"


END = {"prepare": SILENT, "execute": SAID}
for _kind in END:
    add(f"{_kind}: job killed by SIGKILL",
        f"JobDied received signal: SIGKILL, {END[_kind]}",
        lambda t, kind=_kind: _killed(t, kind, signal.SIGKILL))


def _signalled(t, kind, number):
    if t.secure_clone:
        raise Skip("the first process of a PID namespace takes no such signal from outside")
    return _killed(t, kind, number).rpartition(f", {END[kind]}")[0]


# Not the four that an engine may take for a trap, and not those that do not end a process.
for _number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTRAP, signal.SIGABRT,
                signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGTERM, signal.SIGXCPU,
                signal.SIGXFSZ, signal.SIGVTALRM, signal.SIGPROF, signal.SIGPWR, signal.SIGSYS):
    _text = f"received signal: {signal.Signals(_number).name}"
    add(f"execute: job killed by {signal.Signals(_number).name}", f"JobDied {_text}",
        lambda t, number=_number: _signalled(t, "execute", number))

add("execute: job killed by SIGIO", None, lambda t: _signalled(t, "execute", signal.SIGIO))
add("execute: job killed by a real-time signal", None,
    lambda t: _signalled(t, "execute", signal.SIGRTMIN + 3).split()[0])
add("prepare: job killed by a real-time signal", None,
    lambda t: _signalled(t, "prepare", signal.SIGRTMIN + 3).split()[0])


@case("execute: a worker serves on after a death and a timeout",
      f"JobDied, JobTimedOut, Ok, {SAID}")
def _(t):
    artifact, checksum = t.artifact(modules.CONSTANT)
    endless = t.artifact(modules.ENDLESS)[1]
    with Running(t, "execute") as run:
        os.kill(run.job, signal.SIGKILL)
        seen = [run.worker.receive().name]
        short = execute_request(endless, timeout=corpus_wire.duration(0.2))
        seen.append(run.worker.ask(short).name)
        os.unlink(run.worker.place("artifact"))
        run.worker.put("artifact", artifact)
        seen.append(run.worker.ask(execute_request(checksum)).name)
        return ", ".join([*seen, run.worker.end()])


@case("prepare: a worker serves on after a death", f"JobDied, Ok, {SILENT}")
def _(t):
    with Running(t, "prepare") as run:
        os.kill(run.job, signal.SIGKILL)
        seen = [run.worker.receive().name, run.worker.ask(prepare_request(modules.CONSTANT)).name]
        return ", ".join([*seen, run.worker.end()])


@case("execute: job stopped and continued", f"JobTimedOut, {SAID}")
def _(t):
    with Running(t, "execute", seconds=1.0) as run:
        os.kill(run.job, signal.SIGSTOP)
        os.kill(run.job, signal.SIGCONT)
        return f"{run.worker.receive().name}, {run.worker.end()}"


for _kind in END:
    @case(f"{_kind}: no host for the answer", "exit 1")
    def _(t, kind=_kind):
        with Running(t, kind, seconds=1.0) as run:
            run.worker.socket.close()
            return run.worker.exits()

    @case(f"{_kind}: asked to end", "SIGTERM")
    def _(t, kind=_kind):
        with t.worker(kind) as worker:
            worker.process.terminate()
            return worker.exits()


def _job_after(t, run):
    """Whether the job ends: given all the time that it takes, or a moment where it should not."""
    return "ends" if wait_for(lambda: is_gone(run.job), 0.5 if t.reference else 60) else "goes on"


@case("execute: host gone while a job runs")
def _(t):
    with Running(t, "execute") as run:
        run.worker.socket.close()
        return f"the job {_job_after(t, run)}"


@case("prepare: host gone while a job runs")
def _(t):
    with Running(t, "prepare") as run:
        run.worker.socket.close()
        return f"the job {_job_after(t, run)}"


@case("execute: half-closed while a job runs")
def _(t):
    with Running(t, "execute", seconds=2.0) as run:
        return run.worker.end()


@case("execute: worker killed while a job runs")
def _(t):
    with Running(t, "execute") as run:
        run.worker.process.kill()
        return f"the job {_job_after(t, run)}"


@case("execute: job's descriptors besides 0, 1, 2")
def _(t):
    with Running(t, "execute") as run:
        names = [name for fd, name in descriptors(run.job).items() if fd > 2]
        # What the engine opens in the job itself is not what the worker left it.
        kinds = {"pipe:": "pipe", "memfd:artifact": "sealed artifact", "socket:": "socket"}
        return ", ".join(sorted({next((v for k, v in kinds.items() if k in name), name)
                                 for name in names if "memfd:wasm" not in name}))
