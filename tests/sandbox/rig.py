# SPDX-License-Identifier: Apache-2.0
"""Owns: a worker under test with all that a probe may reach for around it: listeners, a victim, a
program to execute; and the look for what a probe left behind."""
import ctypes
import os
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import corpus_wire  # noqa: E402
from wire.suite import execute_request, prepare_request  # noqa: E402, F401
from wire import family  # noqa: E402, F401
from wire.worker import (Rendezvous, Silent, Worker, children, is_gone,  # noqa: E402, F401
                         process_fields, wait_for)

ARTIFACT = b"artifact" * 512
CHECKSUM = corpus_wire.checksum(ARTIFACT)
MUST_WORK = os.environ.get("PVF_SANDBOX_MUST_WORK") == "1"
# The executor parameter PrecheckingMaxMemory of 64 MiB, which limits a prepare job.
MEMORY_LIMIT = b"\4\4" + struct.pack("<Q", 64 << 20)
LANDLOCK_CREATE_RULESET, ASK_VERSION = 444, 1

# The handshake's five flags, in its order.
FLAGS = ("strict", "landlock", "seccomp", "change-root", "secure-clone")
CHECKS = {
    "landlock": ["--check-can-enable-landlock"],
    "seccomp": ["--check-can-enable-seccomp"],
    "change-root": ["--check-can-unshare-user-namespace-and-change-root"],
    "secure-clone": ["--check-can-do-secure-clone"],
}


def handshake(*on):
    return bytes(flag in on for flag in FLAGS)


def landlock_version():
    libc = ctypes.CDLL(None, use_errno=True)
    return max(0, libc.syscall(LANDLOCK_CREATE_RULESET, None, 0, ASK_VERSION))


def check(program, mechanism, launcher=()):
    """(exit code, what it says) of one --check-can-…"""
    words = list(CHECKS[mechanism])
    with tempfile.TemporaryDirectory(prefix="pvf-check-") as folder:
        if mechanism == "change-root":
            words.append(folder)
        done = subprocess.run([*launcher, program, *words], env={}, capture_output=True,
                              timeout=60, check=False)
    return done.returncode, done.stderr.decode().strip()


def missing(program):
    """The mechanisms that this machine lacks, with the reason."""
    found = {}
    for mechanism in CHECKS:
        code, why = check(program, mechanism)
        if code != 0:
            found[mechanism] = why
    return found


def outside(program, name, arg):
    """What a probe says in a plain process.  Its output is a file: what it leaves behind would hold
    a pipe open."""
    with tempfile.TemporaryFile() as said:
        subprocess.run([program, "outside", name, arg], env={}, cwd="/", stdin=subprocess.DEVNULL,
                       stdout=said, stderr=subprocess.STDOUT, timeout=60, check=False)
        said.seek(0)
        return said.read().decode().strip()


class Tally:
    def __init__(self, deadline):
        self.good, self.faults, self.notes = 0, [], []
        self.deadline = deadline

    def begin(self, step):
        """What is looked at from here on, for when it hangs."""
        self.deadline.step = step

    def check(self, name, got, want):
        if got == want:
            self.good += 1
        else:
            self.faults.append(name)
            print(f"FAIL {name}: {got}, expected {want}", flush=True)

    def note(self, text):
        self.notes.append(text)
        print(f"note: {text}", flush=True)

    def end(self):
        """The exit status of who has all mechanisms."""
        self.deadline.met()
        print(f"{self.good} as expected, {len(self.faults)} not, {len(self.notes)} notes")
        return 1 if self.faults else 0


class Launched(Worker):
    """A worker behind a launcher, with its log kept in a file."""

    def __init__(self, program, kind, launcher=(), words=(), **variables):
        Rendezvous.__init__(self, kind)
        self.kind, self.socket = kind, None
        self.log_file = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [*launcher, program, f"{kind}-worker", *words, *self.options()],
            env={"RUST_LOG": "warn", **variables}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=self.log_file)
        life = os.pidfd_open(self.process.pid)
        try:
            ready = select.select([self.listener, life], [], [], 60)[0]
        finally:
            os.close(life)
        if self.listener not in ready:
            self.close()
            raise Silent("the worker did not connect")
        self.socket = self.listener.accept()[0]
        self.socket.settimeout(60)

    def log(self):
        self.log_file.flush()
        return os.pread(self.log_file.fileno(), 1 << 20, 0).decode()

    def fds(self):
        """How many descriptors it has, as far as that is shown."""
        return family.count_files(self.process.pid)

    def files(self):
        return sorted(os.listdir(self.folder))

    def ask_probe(self, text, seconds=5.0):
        """What became of a job that runs a probe: what it says, or a name for its end."""
        timeout = corpus_wire.duration(seconds)
        if self.kind == "prepare":
            return self.outcome(self.ask(prepare_request(text.encode(), params=MEMORY_LIMIT,
                                                         timeout=timeout)))
        return self.outcome(self.ask(execute_request(CHECKSUM, pov=text.encode(),
                                                     timeout=timeout)))

    def outcome(self, answer):
        if answer.name in ("InvalidCandidate", "Prevalidation"):
            return answer.text
        if answer.name == "JobDied":
            return answer.text.removeprefix("received signal: ").partition(" ")[0]
        return answer.name

    def ready(self, *on):
        """Through the handshakes, with the files in place."""
        self.send(handshake(*on), *([b"\0"] if self.kind == "execute" else []))
        if self.kind == "prepare":
            self.put("tmp-artifact", ARTIFACT)
        else:
            self.put("artifact", ARTIFACT)
        return self

    def close(self):
        super().close()
        self.log_file.close()


class Around:
    """What a probe may reach for: listeners of each kind, a victim, a program."""

    def __init__(self, program):
        self.program = program
        self.folder = tempfile.mkdtemp(prefix="pvf-probe-")
        self.path = os.path.join(self.folder, "socket")
        self.abstract = f"pvf-probe-{os.getpid()}"
        self.sockets = []
        for family, kind, address in (
                (socket.AF_UNIX, socket.SOCK_STREAM, self.path),
                (socket.AF_UNIX, socket.SOCK_STREAM, b"\0" + self.abstract.encode()),
                (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
                (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0))):
            one = socket.socket(family, kind)
            self.sockets.append(one)
            one.bind(address)
            if kind == socket.SOCK_STREAM:
                one.listen(200)
        self.tcp, self.udp = (s.getsockname()[1] for s in self.sockets[2:])
        self.process = None

    def victim(self):
        """A living one."""
        if self.process is None or self.process.poll() is not None:
            if self.process is not None:
                self.process.stdout.close()
            self.process = subprocess.Popen([self.program, "victim"], stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, env={})
            ready = select.select([self.process.stdout], [], [], family.PATIENCE)[0]
            if not ready or self.process.stdout.readline() != b"ready\n":
                raise RuntimeError("the victim did not start")
        return self.process.pid

    def victim_lives(self):
        return self.process is not None and self.process.poll() is None

    def close(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
        for one in self.sockets:
            one.close()
        shutil.rmtree(self.folder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def put_program(worker):
    """Something to execute in its folder."""
    with open(worker.place("program"), "wb") as file, open(shutil.which("true"), "rb") as source:
        file.write(source.read())
    os.chmod(worker.place("program"), 0o755)


def targets(worker, around, changed_root):
    """What the probes are aimed at, with the names that things have inside."""
    folder = "" if changed_root else worker.folder
    artifact = "artifact" if worker.kind == "execute" else "tmp-artifact"
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "": "", "passwd": "/etc/passwd", "artifact": f"{folder}/{artifact}",
        "new": f"{folder}/new", "program": f"{folder}/program", "worker": worker.process.pid,
        "path": around.path, "abstract": around.abstract, "tcp": around.tcp, "udp": around.udp,
        # An execute job may have as much as the machine and its guest's share, no other more.
        "memory": memory + (64 << 30), "victim": around.victim(),
    }


def orphans_left(worker, around, patience):
    """How many processes came to us since their parents are gone, and still live; they are ended.
    What was killed may take a moment to be gone, and one may wait for another to be reaped."""
    known = {worker.process.pid, around.process.pid if around.process else None}
    orphans = [pid for pid in children(os.getpid()) if pid not in known]

    def living():
        for pid in orphans:
            family.reap_what_ended(os.P_PID, pid)
        return [pid for pid in orphans if not is_gone(pid)]
    wait_for(lambda: not living(), patience)
    left = living()
    for pid in left:
        os.kill(pid, 9)
    if not wait_for(lambda: not living(), family.PATIENCE):
        raise RuntimeError(f"{living()} do not end")
    return len(left)


def left_behind(worker, around, files, fds, patience=30):
    """What is there after a probe and was not before; it is removed."""
    found = []
    # Who has said farewell is seen to end after the answer.
    wait_for(lambda: not children(worker.process.pid), family.PATIENCE)
    strangers = children(worker.process.pid)
    if strangers:
        found.append(f"{len(strangers)} children of the worker")
    living = orphans_left(worker, around, patience)
    if living:
        found.append(f"{living} processes")
    now = worker.files()
    if now != files:
        found.append(f"files {now}")
    if worker.fds() != fds:
        found.append(f"{worker.fds()} descriptors instead of {fds}")
    return ", ".join(found)
