# SPDX-License-Identifier: Apache-2.0
"""A running `pvf run` on a socket, its log, and connections to it."""
import fcntl
import json
import os
import re
import select
import signal
import socket
import subprocess
import time

from . import proc

GIVEN = re.compile(rb"job (\d+) is request \d+ of (prepare|execute) worker (\d+)$")
LOG_KEPT = 400  # lines that are shown when something is wrong


class Attempt:
    """A job that was given to a worker.  `end` is when the worker got its next one."""

    def __init__(self, job, kind, pid, begin):
        self.job, self.kind, self.pid, self.begin = job, kind, pid, begin
        self.end = float("inf")


class Service:
    def __init__(self, program, workers, cache, folder, options=()):
        self.path = os.path.join(folder, "socket")
        environment = {"PATH": os.environ.get("PATH", ""), "TMPDIR": folder}
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(
            [program, "run", "--cache", cache, "--workers", workers, "--listen", self.path,
             "--log", "debug", *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env=environment)
        self.log = self.process.stderr.fileno()
        fcntl.fcntl(self.log, fcntl.F_SETFL, os.O_NONBLOCK)
        self.rest = b""
        self.lines = []
        self.attempts = []
        self.latest = {}  # of each worker

    @property
    def pid(self):
        return self.process.pid

    def read_log(self):
        """All that is there now.  True while more may come."""
        while True:
            try:
                data = os.read(self.log, 1 << 16)
            except BlockingIOError:
                return True
            if not data:
                return False
            *lines, self.rest = (self.rest + data).split(b"\n")
            for line in lines:
                self.take(line)

    def take(self, line):
        given = GIVEN.search(line)
        if given is None:
            self.lines.append(line.decode(errors="replace"))
            del self.lines[:-LOG_KEPT]
            return
        job, kind, pid = int(given[1]), given[2].decode(), int(given[3])
        attempt = Attempt(job, kind, pid, time.monotonic())
        if pid in self.latest:
            self.latest[pid].end = attempt.begin
        self.latest[pid] = attempt
        self.attempts.append(attempt)

    def workers(self, kind=None):
        return [pid for pid in proc.children(self.pid)
                if proc.kind(pid) in ((kind,) if kind else ("prepare", "execute"))]

    def connect(self, patience):
        end = time.monotonic() + patience
        while time.monotonic() < end and self.process.poll() is None:
            self.read_log()
            try:
                return Client(self.path)
            except (FileNotFoundError, ConnectionRefusedError):
                time.sleep(0.01)
        raise RuntimeError(f"it does not listen: {self.lines[-5:]}")

    def end(self, patience, number=None):
        """The exit status, by a signal or of its own accord; None: it had to be killed."""
        if number is not None:
            self.process.send_signal(number)
        end = time.monotonic() + patience
        while self.process.poll() is None and time.monotonic() < end:
            select.select([self.log], [], [], 0.1)
            if not self.read_log():
                break
        try:
            status = self.process.wait(max(0.1, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            status = None
        self.read_log()
        self.process.stderr.close()
        return status


class Client:
    """A connection that waits for nobody.  Lines wait here until the service reads them."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.socket.setblocking(False)
        self.out, self.rest = b"", b""
        self.over = False

    def send(self, line):
        self.out += line + b"\n"
        self.flush()

    def flush(self):
        try:
            while self.out:
                self.out = self.out[self.socket.send(self.out):]
        except BlockingIOError:
            pass
        except OSError:
            self.over = True

    def answers(self):
        found = []
        while not self.over:
            try:
                data = self.socket.recv(1 << 16)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            self.over = not data
            *lines, self.rest = (self.rest + data).split(b"\n")
            found += [json.loads(line) for line in lines]
        return found

    def close(self):
        self.socket.close()


def wait(clients, log, seconds):
    """Until somebody has something to say."""
    reading = [c.socket for c in clients if not c.over] + [log]
    writing = [c.socket for c in clients if c.out and not c.over]
    select.select(reading, writing, [], max(0.0, seconds))
    for client in clients:
        client.flush()
