# SPDX-License-Identifier: Apache-2.0
"""Owns: the strict reading of what workers answer.  Every byte must be accounted for: a value that
a lenient decoder would let pass is a ValueError here."""
import collections
import struct

import corpus_wire

# `name` says it all for most tests; `text` and `pid` belong to errors, the rest to good answers.
Prepared = collections.namedtuple("Prepared", "name text pid checksum cpu_ns code_len")
Executed = collections.namedtuple("Executed", "name text pid result cpu_ns pov_size")


class Strict(corpus_wire.Reader):
    """SCALE in its only form."""

    def compact(self):
        begin = self.at
        value = super().compact()
        if value >= 1 << 32 or corpus_wire.compact(value) != self.data[begin:self.at]:
            raise ValueError(f"a length at offset {begin} is not in its shortest form")
        return value

    def text(self):
        return self.vec().decode()

    def tag(self, count, what):
        value = self.take(1)[0]
        if value >= count:
            raise ValueError(f"{what} {value} does not exist")
        return value

    def number(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def nanoseconds(self):
        seconds, nanos = self.number("<Q"), self.number("<I")
        if nanos >= 10**9 or nanos % 1000:
            raise ValueError(f"{nanos} ns are no whole microseconds of a second")
        return seconds * 10**9 + nanos

    def option(self, take):
        return take() if self.tag(2, "option") else None

    def finish(self):
        if self.at != len(self.data):
            raise ValueError(f"{len(self.data) - self.at} bytes after the answer")

    def died(self):
        text, pid = self.text(), self.number("<i")
        if pid <= 1:
            raise ValueError(f"{pid} is no job's process")
        return text, pid


def prepare_error(reader):
    index = reader.tag(len(corpus_wire.PREPARE_ERRORS), "PrepareError")
    name = corpus_wire.PREPARE_ERRORS[index]
    text, pid = "", None
    if name == "JobDied":
        text, pid = reader.died()
    elif name == "RenameTmpFile":
        raise ValueError("RenameTmpFile is an error of the host")
    elif name not in ("TimedOut", "OutOfMemory"):
        text = reader.text()
    return Prepared(name, text, pid, None, None, None)


def prepared(body):
    reader = Strict(body)
    if reader.tag(2, "result"):
        answer = prepare_error(reader)
    else:
        checksum, cpu = reader.take(32), reader.nanoseconds()
        if reader.option(lambda: reader.take(16)) is None or \
                reader.option(lambda: reader.number("<q")) is None:
            raise ValueError("statistics are missing that exist on Linux")
        reader.number("<Q")
        answer = Prepared("Ok", "", None, checksum, cpu, reader.number("<I"))
    reader.finish()
    return answer


def validation_result(reader):
    """The bytes of one ValidationResult."""
    begin = reader.at
    reader.vec()
    reader.option(reader.vec)
    for _ in range(reader.compact()):
        reader.vec()
    for _ in range(reader.compact()):
        reader.take(4)
        reader.vec()
    reader.take(8)
    return reader.data[begin:reader.at]


def executed(body):
    reader = Strict(body)
    text, pid, result = "", None, None
    if reader.tag(2, "result") == 0:
        name = corpus_wire.JOB_RESPONSES[reader.tag(5, "JobResponse")]
        if name == "Ok":
            result = validation_result(reader)
        elif name in ("RuntimeConstruction", "InvalidCandidate"):
            text = reader.text()
        cpu, size = reader.nanoseconds(), reader.number("<I")
        if name in ("PoVDecompressionFailure", "CorruptedArtifact") and (cpu or size):
            raise ValueError(f"{name} came with {cpu} ns and {size} bytes")
        reader.finish()
        return Executed(name, text, None, result, cpu, size)
    name = corpus_wire.WORKER_ERRORS[reader.tag(4, "WorkerError")]
    if name == "JobDied":
        text, pid = reader.died()
    elif name == "JobError":
        inner = corpus_wire.JOB_ERRORS[reader.tag(6, "JobError")]
        name += "/" + inner
        if inner == "UnexpectedExitStatus":
            text = str(reader.number("<i"))
        elif inner != "TimedOut":
            text = reader.text()
    elif name == "InternalError":
        inner = corpus_wire.INTERNAL_ERRORS[reader.tag(7, "InternalValidationError")]
        name += "/" + inner
        if inner in ("CouldNotClearWorkerDir", "NonDeterministicPrepareError"):
            raise ValueError(f"{inner} is an error of the host")
        text = reader.text()
    reader.finish()
    return Executed(name, text, pid, None, None, None)


DECODE = {"prepare": prepared, "execute": executed}
