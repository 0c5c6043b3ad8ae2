#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""soak.py PVF WORKERS [--seconds N] [--seed N] [--corpus FOLDER] [--report FILE] [--pause SECONDS]

Drives `pvf run` with everything it can be asked, while workers and jobs are killed and stopped,
files of its cache are damaged and its disk runs full; then lets it end, looks for what is left behind,
and starts it again on the same cache, in peace.  parts/judge.py says which answers are right.
Exit status 0: all as it should be; 77: skipped, with a reason."""
import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
from parts import faults as broken  # noqa: E402
from parts import inputs as corpus  # noqa: E402
from parts import proc  # noqa: E402
from parts.judge import Judge  # noqa: E402
from parts.load import Load  # noqa: E402
from parts.service import Service, wait  # noqa: E402

PATIENCE = 300  # for what must happen; only what hangs meets it
# Descriptors of a worker at rest, and processes below it: an execute worker keeps four artifacts,
# and for each of them what it needs to make a job.
RESTING = {"prepare": (16, 0), "execute": (64, 16)}
SAMPLES = 6
CLIENTS = 3
DEPTH = 16
ALONE = "PVF_SOAK_ALONE"  # set inside our own mount namespace


def own_namespace():
    """Runs this again where a disk can be mounted; goes on without one where that is forbidden."""
    if ALONE in os.environ:
        return os.environ[ALONE] == "yes"
    for options in (["--mount"], ["--user", "--map-root-user", "--mount"]):
        if shutil.which("unshare") and subprocess.run(
                ["unshare", *options, "mount", "-t", "tmpfs", "none", "/tmp"],
                capture_output=True, check=False).returncode == 0:
            os.environ[ALONE] = "yes"
            os.execvp("unshare", ["unshare", *options, sys.executable, *sys.argv])
    print("no mount namespace here: the disk never runs full")
    return False


class Soak:
    def __init__(self, arguments, has_disk):
        self.arguments, self.has_disk = arguments, has_disk
        self.chance = random.Random(arguments.seed)
        self.inputs, self.codes = corpus.read(arguments.corpus)
        self.folder = tempfile.mkdtemp(prefix="pvf-soak-")
        self.cache = os.path.join(self.folder, "cache")
        self.sockets = os.path.join(self.folder, "sockets")
        os.mkdir(self.cache, 0o700)
        os.mkdir(self.sockets)
        if has_disk:
            broken.mount_disk(self.cache)
        self.load = Load(self.chance, self.inputs, self.codes, DEPTH)
        self.samples = []
        self.service = self.faults = None
        self.begin = self.said = self.reaped = time.monotonic()

    def fault(self, text):
        self.load.fault(text)

    # -- The loop

    def start(self, *options):
        self.service = Service(self.arguments.pvf, self.arguments.workers, self.cache,
                               self.sockets, options)
        self.load.clients = [self.service.connect(PATIENCE) for _ in range(CLIENTS)]

    def turn(self, busy, seconds=0.05):
        if busy:
            self.load.fill()
        wait(self.load.clients, self.service.log, seconds)
        self.service.read_log()
        self.load.take(self.service)
        now = time.monotonic()
        if self.faults is not None:
            self.faults.step(now, quiet=not busy)
        if now - self.reaped >= 1:
            self.reaped = now
            proc.reap(self.service.pid)
        if now - self.said >= 10:
            self.said = now
            self.progress(now)

    def progress(self, now):
        counts = self.load.counts
        verdicts = " ".join(
            f"{v.replace('possibly invalid', 'doubtful')}:{counts[f'execute: {v}']}"
            for v in ("valid", "invalid", "possibly invalid", "internal", "expired"))
        broke = sum(self.faults.counts.values()) if self.faults else 0
        print(f"{now - self.begin:5.0f} s  {verdicts}  prechecks:{counts['answered precheck']}  "
              f"live:{len(self.load.live)}  broken:{broke}  "
              f"pss:{proc.pss_kib(self.service.pid)} KiB  "
              f"fds:{proc.descriptors(self.service.pid)}  wrong:{len(self.load.faults)}",
              flush=True)

    def drain(self):
        """Until everything is answered."""
        end = time.monotonic() + PATIENCE
        while self.load.live and time.monotonic() < end:
            self.turn(busy=False)
        if self.load.live:
            lost = [f"{r.op} {r.number}" for r in self.load.live.values()]
            self.fault(f"never answered: {', '.join(lost[:20])}")
            raise RuntimeError("requests were lost")

    # -- Figures

    def rest(self):
        """Nothing is asked for and nothing is at work: what it has now, it keeps.  The workers,
        with what they keep ready below them."""
        self.drain()
        before = None
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self.load.statistics(0)
            self.drain()
            stats = self.load.stats
            workers = {pid: proc.descendants(pid) for pid in self.service.workers()}
            if (stats["requests"] == 0 and workers == before and
                    len(workers) == stats["prepare_workers"] + stats["execute_workers"]):
                return workers
            before = workers
            time.sleep(0.2)
        self.fault(f"it does not come to rest: {self.load.stats} {before}")
        return before

    def sample(self):
        workers = self.rest()
        self.samples.append({
            "seconds": round(time.monotonic() - self.begin, 1),
            "answered": self.load.counts["answered execute"],
            "pss_kib": proc.pss_kib(self.service.pid),
            "descriptors": proc.descriptors(self.service.pid),
            "workers": {pid: {"kind": proc.kind(pid), "below": len(below),
                              "pss_kib": sum(proc.pss_kib(p) or 0 for p in [pid, *below]),
                              "descriptors": proc.descriptors(pid)}
                        for pid, below in workers.items()},
        })

    def judge_samples(self):
        """Flat: what is there after the warm-up, a third of the time, is all there ever is."""
        samples = self.samples[len(self.samples) // 3:]
        half = len(samples) // 2
        early, late = samples[:half], samples[-half:]
        before, after = (min(s["pss_kib"] for s in part) for part in (early, late))
        if after > before * 1.1 + 4096:
            self.fault(f"the host's memory grows from {before} to {after} KiB")
        # Three for each worker: its socket, its process, its output.
        own = [s["descriptors"] - 3 * len(s["workers"]) for s in samples]
        if max(own) != min(own):
            self.fault(f"the host's own descriptors vary: {own}")
        for what in ("execute", "prepare"):
            before, after = (max((w["pss_kib"] for s in part for w in s["workers"].values()
                                  if w["kind"] == what), default=0) for part in (early, late))
            if before and after > before * 1.25 + 32768:
                self.fault(f"an {what} worker's memory grows from {before} to {after} KiB")
        for one in self.samples:
            for pid, worker in one["workers"].items():
                descriptors, below = RESTING[worker["kind"]]
                if worker["descriptors"] > descriptors or worker["below"] > below:
                    self.fault(f"{worker['kind']} worker {pid} at rest: {worker}")

    # -- What is left behind

    def processes_end(self, label):
        end = time.monotonic() + 60
        alive = proc.descendants(os.getpid())
        while alive and time.monotonic() < end:
            proc.reap(self.service.pid)
            time.sleep(0.05)
            alive = proc.descendants(os.getpid())
        if alive:
            self.fault(f"{label}: {len(alive)} processes live on, such as "
                       f"{proc.read(alive[0], 'cmdline')} {proc.read(alive[0], 'status')}")

    def leftovers(self, label):
        self.processes_end(label)
        for name in os.listdir(self.sockets):
            self.fault(f"{label}: {name} is left in the folder of the sockets")
        for name in os.listdir(os.path.join(self.cache, "pvf-run")):
            self.fault(f"{label}: {name} is left in the folder of the workers")
        pairs = {}
        for name in os.listdir(os.path.join(self.cache, "pvf-cache")):
            stem, end = os.path.splitext(name)
            if end in (".pvf", ".meta"):
                pairs.setdefault(stem, []).append(end)
            elif name not in ("marker", "lock", "key", "program-prepare", "program-execute"):
                self.fault(f"{label}: {name} is left in the cache")
        return pairs

    # -- The acts

    def storm(self):
        seconds = self.arguments.seconds
        options = ["--execute-workers", "3", "--prepare-workers", "2", "--max-live", "64"]
        options += ["--cancel-kills", "no"] if self.arguments.seed % 2 else []
        options += ["--policy", "reference"] if self.arguments.seed % 3 == 0 else []
        self.start(*options)
        # All is prepared once, so that from the first second on there is something to break.
        for code in self.codes:
            self.load.precheck(0, code)
        self.drain()
        self.faults = broken.Faults(self.chance, self.service, self.cache, self.codes,
                                    self.has_disk, self.arguments.pause)
        self.begin = time.monotonic()
        end = self.begin + seconds
        # Ten samples; but all has to be answered before each, and that takes seconds.
        gap = max(min(8.0, seconds / 3), seconds / 10)
        next_sample = self.begin + gap
        while time.monotonic() < end:
            self.turn(busy=True)
            if time.monotonic() >= next_sample:
                self.sample()
                next_sample = time.monotonic() + gap
        # A busy machine has taken fewer samples than it takes to judge.
        while len(self.samples) < SAMPLES:
            self.sample()
            end = time.monotonic() + 2
            while time.monotonic() < end:
                self.turn(busy=True)
        self.faults.let_all_go()
        self.sample()
        for client in self.load.clients:
            client.close()
        if self.service.end(PATIENCE, signal.SIGTERM) != 0:
            self.fault(f"it ended badly: {self.service.lines[-10:]}")
        for text in Judge(self.load, self.service.attempts, self.faults.done).all():
            self.fault(text)
        self.judge_samples()
        self.leftovers("after the storm")

    def calm(self):
        """Started again on what is left of the cache: everything right, at the first attempt."""
        self.faults = None
        self.load.odd.clear()
        self.start("--execute-workers", "2", "--prepare-workers", "2", "--max-live", "64")
        for code in self.codes:
            self.load.precheck(0, code)
        todo = list(self.inputs)
        self.chance.shuffle(todo)
        while todo or self.load.live:
            while todo and len(self.load.live) < DEPTH:
                self.load.execute(0, todo.pop(), plain=True)
            self.turn(busy=False)
        for request in self.load.odd:
            name = request.input.name if request.input else request.code.path
            self.fault(f"in peace, {request.op} of {name}: {request.answer}")
        self.load.statistics(0)
        self.drain()
        if not self.load.stats["healthy"] or self.load.stats["worker_deaths"] != 0:
            self.fault(f"in peace: {self.load.stats}")

    def killed(self):
        """The host goes without a word, in the middle of everything."""
        for _ in range(DEPTH):
            self.load.execute(0)
        self.turn(busy=False)
        for client in self.load.clients:
            client.close()
        self.service.end(0, signal.SIGKILL)
        self.load.live.clear()
        self.processes_end("its host is killed")
        # Sockets of a dead host are in nobody's way; its folders are the next one's business.
        shutil.rmtree(self.sockets)
        os.mkdir(self.sockets)
        self.start()
        self.load.execute(0, self.inputs[0], plain=True)
        self.drain()
        for client in self.load.clients:
            client.close()
        if self.service.end(PATIENCE, signal.SIGTERM) != 0:
            self.fault(f"after its death it ended badly: {self.service.lines[-10:]}")
        for stem, ends in self.leftovers("at the end").items():
            if len(ends) != 2:
                self.fault(f"half a pair is left in the cache: {stem} {ends}")

    def run(self):
        try:
            self.storm()
            broke, attempts = dict(self.faults.counts), len(self.service.attempts)
            odd = len(self.load.odd)
            self.calm()
            self.killed()
        finally:
            if self.faults is not None:
                self.faults.let_all_go()
            if self.service is not None and self.service.process.poll() is None:
                self.service.process.kill()
        return {"seed": self.arguments.seed, "seconds": self.arguments.seconds,
                "corpus": self.arguments.corpus, "inputs": len(self.inputs),
                "codes": len(self.codes), "counts": dict(sorted(self.load.counts.items())),
                "jobs given to workers": attempts, "broken": broke,
                "answers that faults explain": odd, "samples": self.samples,
                "wrong": self.load.faults}

    def clean(self):
        if self.has_disk:
            subprocess.run(["umount", "-l", self.cache], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("pvf")
    parser.add_argument("workers", help="folder of the two programs")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--pause", type=float, default=1.0,
                        help="seconds from one fault to the next, on average")
    parser.add_argument("--corpus", help="default: PVF_SHARED/corpus, else this tree's tests/data")
    parser.add_argument("--report", help="a file for the figures, as JSON")
    parser.add_argument("--only-shared", action="store_true",
                        help="skip (77) when the large corpus is not there")
    arguments = parser.parse_args()
    here = os.path.dirname(os.path.abspath(__file__))
    shared = os.environ.get("PVF_SHARED") or os.environ.get("PVF_SHARED_DEFAULT", "")
    if arguments.corpus is None:
        arguments.corpus = os.path.join(shared, "corpus")
        if not os.path.isdir(os.path.join(arguments.corpus, "candidates")):
            if arguments.only_shared:
                print(f"skipped: there is no {arguments.corpus}; name its folder by PVF_SHARED")
                sys.exit(77)
            arguments.corpus = os.path.join(here, "..", "data")
    arguments.corpus = os.path.abspath(arguments.corpus)
    return arguments


def main():
    arguments = parse()
    has_disk = own_namespace()
    proc.adopt_orphans()
    print(f"seed {arguments.seed}, {arguments.seconds:.0f} s, {arguments.corpus}", flush=True)
    soak = Soak(arguments, has_disk)
    try:
        report = soak.run()
    except (RuntimeError, OSError) as error:
        soak.fault(f"it could not go on: {error}; the service said last: "
                   f"{soak.service.lines[-10:] if soak.service else ''}")
        report = {"seed": arguments.seed, "wrong": soak.load.faults}
    finally:
        soak.clean()
    if arguments.report:
        with open(arguments.report, "w", encoding="utf-8") as file:
            json.dump(report, file, indent=1)
    brief = {key: value for key, value in report.items() if key not in ("samples", "wrong")}
    print(json.dumps(brief, indent=1))
    if soak.load.faults:
        print(f"{len(soak.load.faults)} faults; again with: python3 {sys.argv[0]} {arguments.pvf} "
              f"{arguments.workers} --seconds {arguments.seconds:.0f} --seed {arguments.seed} "
              f"--pause {arguments.pause} --corpus {arguments.corpus}")
        return 1
    print("all as it should be")
    return 0


if __name__ == "__main__":
    sys.exit(main())
