# SPDX-License-Identifier: Apache-2.0
"""Owns: one running worker and all that a host sees of it: the bytes on the socket, stdout, the
folder, the socket's path, the exit.  All waits have a deadline, and nothing is left behind."""
import os
import random
import select
import shutil
import signal
import socket
import string
import struct
import subprocess
import tempfile
import time

import corpus_wire

from . import answers

DEADLINE = 120.0  # seconds; only a worker that hangs meets it
CLEAN = {"RUST_LOG": ""}


class Silent(Exception):
    """The worker closed the connection, or said nothing in time."""


def exit_name(code):
    if code is None:
        return "still running"
    return f"exit {code}" if code >= 0 else signal.Signals(-code).name


def run(program, *words, env=None, stdin=b""):
    """A worker's program that needs no host: (exit, stdout, stderr)."""
    done = subprocess.run([program, *words], env=CLEAN if env is None else env, input=stdin,
                          capture_output=True, timeout=DEADLINE, check=False)
    return exit_name(done.returncode), done.stdout, done.stderr


class Rendezvous:
    """A folder and a listening socket, as a host makes them before it starts a worker."""

    def __init__(self, kind, path_length=None):
        self.folder = tempfile.mkdtemp(prefix=f"worker-dir-{kind}-")
        self.path = os.path.join(tempfile.gettempdir(), f"pvf-host-{kind}-")
        length = 10 if path_length is None else path_length - len(os.fsencode(self.path))
        self.path += "".join(random.choices(string.ascii_letters, k=length))
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(1)

    def options(self):
        return ["--socket-path", self.path, "--worker-dir-path", self.folder]

    def was_met(self):
        return bool(select.select([self.listener], [], [], 0)[0])

    def close(self):
        self.listener.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        if os.path.lexists(self.path):
            os.unlink(self.path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Worker(Rendezvous):
    """A started and connected worker; nothing was sent to it."""

    def __init__(self, program, kind, env=None, words=(), path_length=None):
        super().__init__(kind, path_length)
        self.kind, self.socket = kind, None
        self.process = subprocess.Popen(
            [program, f"{kind}-worker", *words, *self.options()], env=CLEAN if env is None else env,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        life = os.pidfd_open(self.process.pid)
        try:
            ready = select.select([self.listener, life], [], [], DEADLINE)[0]
        finally:
            os.close(life)
        if self.listener not in ready:
            self.close()
            raise Silent("the worker did not connect")
        self.socket = self.listener.accept()[0]
        self.socket.settimeout(DEADLINE)

    def close(self):
        if self.socket is not None:
            self.socket.close()
        if self.process.poll() is None:
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
        super().close()

    def place(self, name):
        return os.path.join(self.folder, name)

    def put(self, name, content):
        with open(self.place(name), "wb") as file:
            file.write(content)

    def get(self, name):
        return corpus_wire.read_file(self.folder, name)

    def send(self, *bodies):
        self.send_raw(b"".join(corpus_wire.frame(body) for body in bodies))

    def send_raw(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it left already; how, is seen at the end

    def send_bytewise(self, data):
        for byte in data:
            self.send_raw(bytes([byte]))

    def read(self, count):
        data = bytearray()
        while len(data) < count:
            try:
                part = self.socket.recv(count - len(data))
            except ConnectionResetError:
                part = b""
            except socket.timeout as error:
                raise Silent("no answer in time") from error
            if not part:
                raise Silent("no answer")
            data += part
        return bytes(data)

    def receive(self):
        """The next answer, decoded; Silent when there is none."""
        return answers.DECODE[self.kind](self.read(struct.unpack("<Q", self.read(8))[0]))

    def ask(self, body):
        self.send(body)
        return self.receive()

    def answer_or_end(self):
        """The name of the next answer; when that is the last word, or there is none, its end."""
        try:
            name = self.receive().name
        except Silent as silent:
            return self.end() if str(silent) == "no answer" else str(silent)
        return name if name != "InternalError/HostCommunication" else f"{name}, {self.exits()}"

    def half_close(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it left already

    def waits(self, seconds=0.3):
        """Whether it neither ended nor said anything for a while."""
        return not select.select([self.socket], [], [], seconds)[0]

    def exits(self):
        try:
            return exit_name(self.process.wait(DEADLINE))
        except subprocess.TimeoutExpired:
            return exit_name(None)

    def end(self):
        """How it ends when the host closes its side: what it still says, and its exit.  Says too
        what no worker may do in its life: write to stdout, leave the socket's path."""
        self.half_close()
        said = []
        try:
            while True:
                said.append(self.receive().name)
        except Silent as error:
            if str(error) != "no answer":
                said.append(str(error))
        words = [*(said or ["silent"]), self.exits()]
        if self.process.returncode is not None and self.process.stdout.read():
            words.append("wrote to stdout")
        if os.path.lexists(self.path):
            words.append("left the socket's path")
        return ", ".join(words)


def children(pid):
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            fields = process_fields(int(entry))
            if fields is not None and int(fields[1]) == pid:
                found.append(int(entry))
    return found


def process_fields(pid):
    """The fields of /proc/PID/stat from the state on; None when the process is gone."""
    try:
        stat = corpus_wire.read_file("/proc", str(pid), "stat")
    except OSError:
        return None
    return stat.rpartition(b")")[2].decode().split()


def is_gone(pid):
    fields = process_fields(pid)
    return fields is None or fields[0] in "ZX"


def wait_for(what, seconds=DEADLINE):
    """The first true value of what(), or the last one at the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = what()
        if value or time.monotonic() > deadline:
            return value
        time.sleep(0.005)
