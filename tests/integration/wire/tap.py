# SPDX-License-Identifier: Apache-2.0
"""Owns: a worker program that stands between a host and a real worker and keeps what the real one
said: the reference's host tells its caller a verdict and a length, and this tells the bytes.

Nothing passes it changed.  All of one connection is one file: the handshake, then every answer,
each as the frame that travelled."""
import contextlib
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading

CHUNK = 1 << 20


def script(program, folder):
    """The text of a program that stands before `program` and writes into `folder`."""
    here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
    return (f"#!{sys.executable} -I\nimport sys\nsys.dont_write_bytecode = True\n"
            f"sys.path.insert(0, {here!r})\nfrom wire import tap\n"
            f"sys.exit(tap.main(sys.argv[1:], {program!r}, {folder!r}))\n")


def frames(data):
    """The bodies in a file of frames."""
    found, at = [], 0
    while at < len(data):
        size = struct.unpack_from("<Q", data, at)[0]
        found.append(data[at + 8:at + 8 + size])
        at += 8 + size
    return found


def _pass(source, sink, keep, first_only):
    """Until the end; what is kept is written before it goes on.  `first_only`: 13 bytes, which is
    what a handshake's frame has."""
    kept = 0
    try:
        while data := source.recv(CHUNK):
            part = data[:max(0, 13 - kept)] if first_only else data
            kept += len(part)
            keep.write(part)
            keep.flush()
            sink.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        pass  # one side left; the other is told below
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it is gone already


def main(words, program, folder):
    if "--socket-path" not in words:
        os.execv(program, [program, *words])
    at = words.index("--socket-path") + 1
    handle, keep_path = tempfile.mkstemp(prefix=f"{words[0]}-", dir=folder)
    path = os.path.join(folder, os.path.basename(keep_path) + ".socket")
    with socket.socket(socket.AF_UNIX) as listener, os.fdopen(handle, "wb") as keep:
        listener.bind(path)
        listener.listen(1)
        with subprocess.Popen([program, *words[:at], path, *words[at + 1:]],
                              stdin=subprocess.DEVNULL) as worker:
            inner = listener.accept()[0]
            outer = socket.socket(socket.AF_UNIX)
            outer.connect(words[at])
            with contextlib.suppress(FileNotFoundError):
                os.unlink(words[at])  # as a worker does; the host may be faster
            down = threading.Thread(target=_pass, args=(outer, inner, keep, True))
            down.start()
            _pass(inner, outer, keep, False)
            down.join()
            return worker.wait()
