# SPDX-License-Identifier: Apache-2.0
"""Owns: the probes in jobs that were made ahead of need, those in a zygote that was taken over by its
artifact, and what such a zygote may do to its worker: nothing but cost it a little time."""
import os
import tempfile

import expected
import rig
from rig import corpus_wire, execute_request

FAMILY = ["pvf-execute-job", "pvf-guard", "pvf-zygote"]
HONEST, NONE, DIES = "an honest zygote", "no zygote", "no zygote"

# A zygote may make jobs, and what it takes to make them.  What differs from what a job may do:
ZYGOTE = {name: DIES if probe.full == "SIGSYS" else probe.full
          for name, probe in expected.EXECUTE.items()}
ZYGOTE.update({
    "write-fd": "EPERM",  # the artifact is sealed, against seals too
    "seal-fd": "EPERM",
    "raise-limit": "EPERM",
    "regain-capabilities": "done",  # the one that it has
    # It may; its namespace ends it all the same, and nobody outside is shown it.
    "be-dumpable": "done",
    "outlive-worker": "done",
})

# What a hijacked zygote does, and the answers to six requests of its artifact.  Jobs are plain
# until its second use; a zygote fails three times.
PLAIN = [NONE] * 6
MADE = [NONE] * 2 + ["done"] * 4
HIJACKS = {
    "stray": MADE,
    "many-strays": MADE,
    "stray-of-stray": MADE,
    "hello-itself": PLAIN,
    "hello-without-end": PLAIN,
    # Whose death is seen when is chance: it may hurt its own candidates, and no other.
    "hello-of-the-dead": None,
    "long-hello": PLAIN,
    "empty-hello": PLAIN,
    "deaf": PLAIN,
    "job-never-fenced": PLAIN,
    "job-claims-fault": PLAIN,
    # It had the candidate: a death like any other, and the next is plain.
    "job-without-frame": [NONE, NONE, "JobError/Panic", NONE, "JobError/Panic", NONE],
}


def comm(pid):
    try:
        return corpus_wire.read_file("/proc", str(pid), "comm").decode().strip()
    except OSError:
        return ""


class Bench:
    """A worker with zygotes.  It is the same program under another name."""

    def __init__(self, program, around, name="zygote-probe"):
        self.around, self.scratch = around, tempfile.TemporaryDirectory(prefix="pvf-probe-")
        place = os.path.join(self.scratch.name, name)
        os.symlink(program, place)
        self.worker = rig.Launched(place, "execute").ready(*rig.FLAGS)
        with open(self.worker.place("program"), "wb") as file:
            file.write(corpus_wire.read_file("/bin/true"))
        os.chmod(self.worker.place("program"), 0o755)
        self.digest = rig.CHECKSUM

    def use(self, text):
        """Another artifact from here on."""
        artifact = text.encode() + b"\n" + rig.ARTIFACT
        self.digest = corpus_wire.checksum(artifact)
        self.worker.put("artifact", artifact)

    def ask(self, text):
        answer = self.worker.ask(execute_request(self.digest, pov=text.encode(),
                                                 timeout=corpus_wire.duration(5)))
        return self.worker.outcome(answer)

    def living(self):
        return [p for p in rig.children(self.worker.process.pid) if not rig.is_gone(p)]

    def family(self):
        return sorted(comm(pid) for pid in self.living())

    def job(self):
        """Uses the artifact until a job waits, and nothing else is there; its number."""
        for _ in range(3):
            self.ask("tell-zygote")
            # It finds another checksum once it has prepared for the next job.
            self.worker.ask(execute_request(bytes(32)))
            if self.living():
                rig.wait_for(lambda: self.family() == FAMILY, 30)
                break
        return next((p for p in self.living() if comm(p) == FAMILY[0]), None)

    def orphans(self):
        """What came to us since its parent is gone; the dead are reaped, in any order: the first of
        a namespace is there until all others are."""
        mine = {self.worker.process.pid, self.around.process.pid if self.around.process else None}
        found = [pid for pid in rig.children(os.getpid()) if pid not in mine]
        return [pid for pid in found if os.waitpid(pid, os.WNOHANG)[0] == 0]

    def close(self):
        """All that it ever made is gone with it."""
        end = self.worker.end().rpartition(", ")[2]
        gone = rig.wait_for(lambda: not self.orphans(), 30)
        self.worker.close()
        self.scratch.cleanup()
        return end, bool(gone)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            self.worker.close()
            self.scratch.cleanup()


def aims(bench):
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    around = bench.around
    return {"": "", "passwd": "/etc/passwd", "artifact": "/artifact", "new": "/new",
            "program": "/program", "worker": bench.worker.process.pid, "path": around.path,
            "abstract": around.abstract, "tcp": around.tcp, "udp": around.udp,
            "memory": memory + (64 << 30), "victim": around.victim()}


def fields(pid, *names):
    """Some lines of /proc/PID/status."""
    text = corpus_wire.read_file("/proc", str(pid), "status").decode()
    lines = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return [lines[name].strip() for name in names]


def seen_from_outside(tally, program, around):
    """The rights of each."""
    sys_admin, none = f"{1 << 21:016x}", f"{0:016x}"
    with Bench(program, around) as bench:
        bench.job()
        bench.job()
        for pid in bench.living():
            name = comm(pid)
            want = [sys_admin if name == "pvf-zygote" else none, none, "1", "2"]
            got = fields(pid, "CapPrm", "CapInh", "NoNewPrivs", "Seccomp")
            tally.check(f"zygotes: rights of {name}", got, want)
            bounding = fields(pid, "CapBnd")[0]
            tally.check(f"zygotes: what {name} could regain", bounding in (none, sys_admin), True)
        tally.check("zygotes: end", bench.close(), ("exit 1", True))


def probes_in_jobs(tally, program, around):
    """Every probe in a job from a zygote: as in any other."""
    with Bench(program, around) as bench:
        bench.ask("tell-zygote")
        for name, probe in expected.EXECUTE.items():
            job, fds = bench.job(), bench.worker.fds()
            got = bench.ask(f"{name} {aims(bench)[probe.aim]}")
            if name.startswith("execute") and got == "JobError/Panic":
                got = "done"
            tally.check(f"zygote's job: {name}", got, probe.full)
            tally.check(f"zygote's job: {name}: it was one",
                        job is not None and bool(rig.wait_for(lambda: rig.is_gone(job), 30)), True)
            tally.check(f"zygote's job: {name}: the victim lives", around.victim_lives(), True)
            tally.check(f"zygote's job: {name}: one more", bench.job() is not None, True)
            tally.check(f"zygote's job: {name}: descriptors", bench.worker.fds(), fds)
        tally.check("zygote's jobs: files", bench.worker.files(), ["artifact", "program"])
        tally.check("zygote's jobs: end", bench.close(), ("exit 1", True))


def probes_in_zygotes(tally, program, around):
    """Every probe in the zygote itself; the job that follows tells."""
    with Bench(program, around) as bench:
        for name, want in ZYGOTE.items():
            probe = expected.EXECUTE[name]
            bench.use(f"zygote {name} {aims(bench)[probe.aim]}")
            got = [bench.ask("tell-zygote") for _ in range(3)]
            tally.check(f"zygote: {name}", got, [NONE, NONE, want])
            tally.check(f"zygote: {name}: the victim lives", around.victim_lives(), True)
        bench.use("nothing of the kind")
        got = [bench.ask("tell-zygote") for _ in range(3)]
        tally.check("zygote: after all that", got, [NONE, NONE, HONEST])
        tally.check("zygotes: files", bench.worker.files(), ["artifact", "program"])
        tally.check("zygotes: end", bench.close(), ("exit 1", True))


def hijacks(tally, program, around):
    """What a hijacked zygote does to its worker, while that has an honest one too."""
    for name, want in HIJACKS.items():
        with Bench(program, around) as bench:
            bench.job()
            bench.use(f"zygote {name}")
            got = [bench.ask("tell-zygote") for _ in range(6)]
            if want is None:
                got, want = set(got) - {NONE, "done", "JobError/Panic"}, set()
            tally.check(f"hijacked zygote: {name}", got, want)
            # Four others take its place, and all that it made is gone with it.
            for index in range(4):
                bench.use(f"other {index}")
                for _ in range(3):
                    bench.ask("tell-zygote")
                tally.check(f"hijacked zygote: {name}: others", bench.ask("tell-zygote"), HONEST)
            rig.wait_for(lambda: bench.family() == sorted(FAMILY * 4), 30)
            tally.check(f"hijacked zygote: {name}: left", bench.family(), sorted(FAMILY * 4))
            tally.check(f"hijacked zygote: {name}: end", bench.close(), ("exit 1", True))
        # The same, and its worker ends first.
        with Bench(program, around) as bench:
            bench.use(f"zygote {name}")
            for _ in range(2):
                bench.ask("tell-zygote")
            tally.check(f"hijacked zygote: {name}: end of all", bench.close(), ("exit 1", True))


def idle(tally, program, around):
    """A worker without requests ends its zygotes, and has them again when it is used."""
    with Bench(program, around, "idle-zygote-probe") as bench:
        for turn in range(2):
            for _ in range(3):
                bench.ask("tell-zygote")
            tally.check(f"idle, turn {turn}: processes end",
                        rig.wait_for(lambda: not bench.living(), 60), True)
        tally.check("idle: end", bench.close(), ("exit 1", True))


def run_all(tally, program, lacking):
    if lacking:
        return
    with rig.Around(program) as around:
        for part in (seen_from_outside, probes_in_jobs, probes_in_zygotes, hijacks, idle):
            part(tally, program, around)
