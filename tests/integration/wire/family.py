# SPDX-License-Identifier: Apache-2.0
"""Owns: what is seen from outside of a worker's zygotes and their jobs: who lives, who waits, who
is gone; and the end of a test that hangs.  Nothing here takes a time for an event: what must happen is
waited for, and a deadline only tells a hang from a machine that is busy."""
import ctypes
import faulthandler
import os
import select
import sys
import threading

import corpus_wire

from .worker import children, is_gone, process_fields, wait_for

GUARD, ZYGOTE, JOB = "pvf-guard", "pvf-zygote", "pvf-execute-job"
FAMILY = [JOB, GUARD, ZYGOTE]
PATIENCE = 60.0  # seconds
PR_SET_CHILD_SUBREAPER = 36


def comm(pid):
    try:
        return corpus_wire.read_file("/proc", str(pid), "comm").decode().strip()
    except OSError:
        return ""


def status(pid):
    """The lines of /proc/PID/status by name; empty when it is gone."""
    try:
        text = corpus_wire.read_file("/proc", str(pid), "status").decode()
    except OSError:
        return {}
    return {name: value.strip() for name, _, value in
            (line.partition(":") for line in text.splitlines())}


def nearly_all_children(pid):
    """As children(), but quick: while children come and go it may miss one.  For what is looked at
    until something is there."""
    try:
        return [int(child) for child in
                corpus_wire.read_file(f"/proc/{pid}/task/{pid}/children").split()]
    except FileNotFoundError:
        return children(pid)


def family(worker, find=children):
    """Its living children by name."""
    return {pid: comm(pid) for pid in find(worker) if not is_gone(pid)}


def group(pid):
    """What all processes of one nursery have in common."""
    fields = process_fields(pid)
    return None if fields is None else int(fields[2])


def is_asleep(pid):
    """Whether all its threads wait for something."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
        states = [corpus_wire.read_file("/proc", str(pid), "task", thread, "stat")
                  .rpartition(b")")[2].split()[0] for thread in threads]
    except OSError:
        return False
    return bool(states) and set(states) == {b"S"}


def ticks(pid):
    """Its CPU time in ticks, 0 when it is gone."""
    fields = process_fields(pid)
    return 0 if fields is None else int(fields[11]) + int(fields[12])


def filters(pid):
    """How many filters it is behind; kernels before 5.9 do not say."""
    return int(status(pid).get("Seccomp_filters", 2))


def waits(pid):
    """Whether this job has its fence and waits for its candidate.  Its name comes before its fence,
    its own filter is the last of it."""
    return comm(pid) == JOB and filters(pid) >= FILTERS and is_asleep(pid)


# The worker's, the zygote's and the job's own.
FILTERS = 3


def open_files(pid):
    """What it has open, by the kernel's names; None where that is not shown.  Meanwhile it may
    close some of it."""
    folder = f"/proc/{pid}/fd"
    names = []
    try:
        for fd in os.listdir(folder):
            try:
                names.append(os.readlink(os.path.join(folder, fd)))
            except FileNotFoundError:
                continue
    except OSError:
        return None
    return names


def count_files(worker):
    """How many a worker has; None where that is not shown.  Sealed artifacts do not count: it
    holds several, one more whenever its host had another one."""
    names = open_files(worker)
    if names is None:
        return None
    return len([name for name in names if not name.startswith("/memfd:artifact")])


class Life:
    """One process, by a descriptor: its number may be another's by now."""

    def __init__(self, pid):
        self.pid, self.fd = pid, os.pidfd_open(pid)

    def ends(self, seconds=PATIENCE):
        """Whether it ends in time."""
        return bool(select.select([self.fd], [], [], seconds)[0])

    def close(self):
        os.close(self.fd)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def adopt_orphans():
    """Processes whose parents are gone become ours: so none escapes the look, and nobody has to
    wait until somebody else reaps them."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_what_ended(kind, number):
    try:
        while os.waitid(kind, number, os.WEXITED | os.WNOHANG):
            pass
    except ChildProcessError:
        pass


class Everybody:
    """All that a worker has made, also what its zygotes make from now on; to be taken before the
    worker ends.  They come to us then, and the first process of a namespace does not end before
    all others in it are reaped."""

    def __init__(self, worker):
        self.pids = children(worker)
        self.groups = {group(pid) for pid in self.pids} - {None, os.getpgrp()}

    def living(self):
        for number in self.pids:
            reap_what_ended(os.P_PID, number)
        for number in self.groups:
            reap_what_ended(os.P_PGID, number)
        ours = [pid for pid in children(os.getpid()) if group(pid) in self.groups]
        return [pid for pid in {*self.pids, *ours} if not is_gone(pid)]

    def goes(self):
        """Whether all of it does."""
        return bool(wait_for(lambda: not self.living(), PATIENCE))


def describe(pid, depth=0):
    """Lines about a process and all below it, for who must find out where it hangs."""
    fields = process_fields(pid)
    state = fields[0] if fields else "gone"
    try:
        where = corpus_wire.read_file("/proc", str(pid), "wchan").decode()
        call = corpus_wire.read_file("/proc", str(pid), "syscall").decode().split()[0]
    except (OSError, IndexError):
        where, call = "?", "?"
    lines = [f"{'  ' * depth}{pid} {comm(pid)}: {state}, in {where}, call {call}"]
    for child in children(pid):
        lines += describe(child, depth + 1)
    return lines


class Deadline:
    """Ends a test that hangs, and says where: each step that it begins is named here."""

    def __init__(self, seconds):
        self.step, self.seconds = "start", seconds
        self.timer = threading.Timer(seconds, self.over)
        self.timer.daemon = True
        self.timer.start()

    def over(self):
        print(f"FAIL hangs for {self.seconds} s in: {self.step}", flush=True)
        print("\n".join(describe(os.getpid())), flush=True)
        faulthandler.dump_traceback(sys.stdout)
        os._exit(1)

    def met(self):
        self.timer.cancel()
