# SPDX-License-Identifier: Apache-2.0
"""Owns: a worker whose jobs are made ahead of need, as probes see it: it makes sure that a job
waits before each probe, and that it was this job that ran the probe."""
import os
import subprocess
import tempfile

import rig
from rig import corpus_wire, execute_request, family

PREFIX = "ahead: "
NEVER_IDLE = 1 << 30  # ms
NO_ZYGOTE, HONEST = "no zygote", "an honest zygote"
TRIES = 12
PLAIN = ("the plain way", "another is made")  # what a worker says of other jobs


class Artifact:
    """One of a worker's artifacts; its zygote does what the text says."""

    def __init__(self, text):
        self.text, self.versions, self.group = text, 0, None
        self.renew()

    def renew(self):
        """Another one that does the same: the worker has no bad memories of it."""
        self.versions += 1
        self.content = f"{self.text}\n{self.versions}\n".encode() + rig.ARTIFACT
        self.digest, self.group = corpus_wire.checksum(self.content), None

    def write(self, path):
        with open(path, "wb") as file:
            file.write(self.content)


class Large(Artifact):
    """One of this many bytes."""

    def __init__(self, text, program, size):
        self.program, self.size = program, size
        super().__init__(text)

    def write(self, path):
        super().write(path)
        os.truncate(path, self.size)
        done = subprocess.run([self.program, "checksum", path], env={}, capture_output=True,
                              check=True)
        self.digest = bytes.fromhex(done.stdout.decode())


class Nursery(rig.Launched):
    """An execute worker with zygotes, behind the whole fence unless said otherwise."""

    def __init__(self, program, idle_ms=NEVER_IDLE, on=rig.FLAGS):
        super().__init__(program, "execute", words=("--zygotes", str(idle_ms)), RUST_LOG="debug")
        self.scratch = tempfile.TemporaryDirectory(prefix="pvf-probe-")
        self.ready(*on)
        rig.put_program(self)
        self.pid, self.artifact, self.seen = self.process.pid, None, None
        self.paths, self.none = {}, os.path.join(self.scratch.name, "none")
        self.others = set()  # groups of other artifacts
        os.link(self.place("artifact"), self.none)
        self.use(Artifact(""))

    def use(self, artifact, at_rest=False):
        """The artifact of all requests from here on.  Its file stays the same one each time, as
        where a host links it."""
        version = artifact, artifact.versions
        if self.artifact is not None:
            if not at_rest:
                self.come_to_rest()
            self.others = self.groups() - {artifact.group}
        if version not in self.paths:
            self.paths[version] = os.path.join(self.scratch.name, str(len(self.paths)))
            artifact.write(self.paths[version])
        self.link(self.paths[version])
        self.artifact = artifact

    def link(self, path):
        os.unlink(self.place("artifact"))
        os.link(path, self.place("artifact"))

    def request(self, text, seconds=5.0):
        return execute_request(self.artifact.digest, pov=text.encode(),
                               timeout=corpus_wire.duration(seconds))

    def ask_plainly(self, text, seconds=5.0):
        """Whoever runs it."""
        return self.outcome(self.ask(self.request(text, seconds)))

    def come_to_rest(self):
        """Until it waits for the next request: what it does after an answer is done."""
        self.link(self.none)  # the one in place may be large: it would have to make room
        answer = self.ask(execute_request(bytes(32)))
        self.link(self.paths[self.artifact, self.artifact.versions])
        if answer.name != "CorruptedArtifact":
            raise RuntimeError(f"an artifact with another checksum: {answer.name}")

    def groups(self):
        return {family.group(pid) for pid in rig.children(self.pid)} - {None}

    def family(self):
        """Living children of this artifact's group, by name."""
        everybody = family.family(self.pid, family.nearly_all_children)
        return {pid: name for pid, name in everybody.items()
                if family.group(pid) == self.artifact.group}

    def find_group(self):
        """Which group came to be with this artifact's zygote, once the worker is at rest."""
        self.artifact.group = max(self.groups() - self.others, default=None)
        return self.artifact.group

    def bring_up(self):
        """Uses the artifact until it has a zygote; False when it gets none."""
        for _ in range(3):
            self.come_to_rest()
            if self.find_group() is not None:
                return True
            self.ask_plainly("tell-zygote")
        self.come_to_rest()
        return self.find_group() is not None

    def waiting(self):
        """The job that waits for its candidate."""
        return next((pid for pid in self.family() if family.waits(pid)), None)

    def has_job_or_none_to_come(self):
        """The guard lives on when its zygote is dead."""
        return self.waiting() or set(self.family().values()) <= {family.GUARD}

    def renew(self):
        self.come_to_rest()
        self.artifact.renew()
        self.use(self.artifact, at_rest=True)

    def ahead(self):
        """Until a job waits: its number."""
        for _ in range(TRIES):
            if self.bring_up():
                rig.wait_for(self.has_job_or_none_to_come, family.PATIENCE)
                job = self.waiting()
                if job is not None:
                    return job
            self.renew()
        raise RuntimeError(f"no job is made ahead of need for {self.artifact.text}: "
                           f"{self.log()[-1000:]}")

    def ask_probe(self, text, seconds=5.0):
        """As for any worker, but for certain in a job that was made ahead of need."""
        for _ in range(TRIES):
            job, heard = self.ahead(), len(self.log())
            with family.Life(job) as life:
                answer = self.ask(self.request(text, seconds))
                if not life.ends():
                    raise RuntimeError(f"{text}: the job that waited is still there")
            if answer.text.startswith(PREFIX):
                return answer.text.removeprefix(PREFIX)
            if answer.pid == job or (answer.pid is None and
                                     not any(word in self.log()[heard:] for word in PLAIN)):
                return self.outcome(answer)
            # It was not ready in time for its worker: this machine is busy.
        raise RuntimeError(f"{text}: never in a job that was made ahead of need")

    def look(self):
        """With a job that waits for it: what it has made and holds."""
        self.ahead()
        return self.fds(), self.files(), [self.artifact.versions,
                                          sorted(family.comm(pid) for pid in
                                                 rig.children(self.pid))]

    def left_behind(self):
        """What is there now and was not at the last look."""
        before = self.seen

        def is_as_before():
            self.seen = self.look()
            # Another version of the artifact may have a zygote, or have had one.
            return before in (None, self.seen) or self.seen[2][0] != before[2][0]
        if rig.wait_for(is_as_before, family.PATIENCE):
            return ""
        return f"{self.seen} instead of {before}"

    def end_all(self):
        """(how the worker ends, whether all that it ever made ends with it)."""
        self.come_to_rest()
        everybody = family.Everybody(self.pid)
        end = self.end().rpartition(", ")[2]
        gone = everybody.goes()
        self.close()
        return end, gone

    def close(self):
        super().close()
        self.scratch.cleanup()


def rights(pid):
    """What the kernel says of a process's rights, from outside."""
    lines = family.status(pid)
    return {name: lines.get(name) for name in
            ("CapInh", "CapPrm", "CapEff", "CapAmb", "NoNewPrivs", "Seccomp")}


def namespaces(pid):
    names = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")
    return {name: os.readlink(f"/proc/{pid}/ns/{name}") for name in names}


def limits(pid):
    text = corpus_wire.read_file("/proc", str(pid), "limits").decode()
    return {line[:26].strip(): line[26:].split()[:2] for line in text.splitlines()[1:]}


def files(pid):
    """What it has open, by kinds."""
    return sorted(name.partition(":[")[0].split(" ")[0] for name in family.open_files(pid))
