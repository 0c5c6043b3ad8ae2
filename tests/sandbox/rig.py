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
from wire.worker import Rendezvous, Silent, Worker, children, is_gone, wait_for  # noqa: E402, F401

ARTIFACT = b"artifact" * 512
CHECKSUM = corpus_wire.checksum(ARTIFACT)
MUST_WORK = os.environ.get("PVF_SANDBOX_MUST_WORK") == "1"
# The executor parameter PrecheckingMaxMemory of 64 MiB, which limits a prepare job.
MEMORY_LIMIT = b"\4\4" + struct.pack("<Q", 64 << 20)
LANDLOCK_CREATE_RULESET, ASK_VERSION = 444, 1
PR_SET_CHILD_SUBREAPER = 36

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


def adopt_orphans():
    """Processes whose parents are gone become ours: so none escapes the look."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


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


class Launched(Worker):
    """A worker behind a launcher, with its log kept in a file."""

    def __init__(self, program, kind, launcher=(), **variables):
        Rendezvous.__init__(self, kind)
        self.kind, self.socket = kind, None
        self.log_file = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [*launcher, program, f"{kind}-worker", *self.options()],
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
        """How many descriptors it has; None where that is not shown.  Sealed artifacts do not
        count: it holds up to four, one more whenever a probe has touched the file."""
        folder = f"/proc/{self.process.pid}/fd"
        try:
            names = [os.readlink(os.path.join(folder, fd)) for fd in os.listdir(folder)]
        except OSError:
            return None
        return len([name for name in names if not name.startswith("/memfd:artifact")])

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
            if self.process.stdout.readline() != b"ready\n":
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


def left_behind(worker, around, files, fds, patience=30):
    """What is there after a probe and was not before; it is removed.  What was killed may take a
    moment to be gone."""
    found = []
    strangers = children(worker.process.pid)
    if strangers:
        found.append(f"{len(strangers)} children of the worker")
    known = {worker.process.pid, around.process.pid if around.process else None}
    orphans = [pid for pid in children(os.getpid()) if pid not in known]
    wait_for(lambda: all(is_gone(pid) for pid in orphans), patience)
    living = [pid for pid in orphans if not is_gone(pid)]
    for pid in orphans:
        if pid in living:
            os.kill(pid, 9)
        os.waitpid(pid, 0)
    if living:
        found.append(f"{len(living)} processes")
    now = worker.files()
    if now != files:
        found.append(f"files {now}")
    if worker.fds() != fds:
        found.append(f"{worker.fds()} descriptors instead of {fds}")
    return ", ".join(found)
