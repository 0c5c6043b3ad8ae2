# SPDX-License-Identifier: Apache-2.0
"""What is broken on purpose, and a record of it: the judge explains answers by nothing else."""
import collections
import ctypes
import errno
import os
import signal
import time

from . import proc

MS_REMOUNT = 32
DISK_BYTES = 2 << 30
# How often each is chosen, in proportion.
WEIGHTS = {"kill worker": 3, "kill job": 5, "stop worker": 2, "stop job": 2, "stop for good": 0.5,
           "flip artifact": 2, "cut artifact": 1, "remove artifact": 1, "flip sidecar": 1,
           "remove sidecar": 1, "full disk": 1}

# `pid` is the worker that was hit, itself or by its job; `code` the hash of what was damaged.
Fault = collections.namedtuple("Fault", "what begin end pid code")


def mount_disk(path):
    """A small disk of our own; works only in a mount namespace of our own."""
    remount(path, DISK_BYTES, 0)


def remount(path, size, flags=MS_REMOUNT):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"none", path.encode(), b"tmpfs", flags, f"size={size},mode=0700".encode()) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)


class Faults:
    def __init__(self, chance, service, cache, codes, has_disk, pause):
        self.chance, self.service, self.cache, self.codes = chance, service, cache, codes
        self.disk = cache if has_disk else None
        self.pause = pause  # seconds between two, on average
        self.next = time.monotonic() + pause
        self.done = []
        self.counts = collections.Counter()
        self.stopped = {}  # pid -> when it may go on
        self.full_until = None
        self.names = [name for name in WEIGHTS if has_disk or name != "full disk"]

    # -- Targets

    def worker(self, kinds):
        """One of those that live, seldom one that prepares: that takes a hundred times as long."""
        found = [(pid, kind) for pid in self.service.workers()
                 if (kind := proc.kind(pid)) in kinds and pid not in self.stopped]
        if not found:
            return None
        weights = [1 if kind == "prepare" else 4 for _, kind in found]
        return self.chance.choices(found, weights)[0][0]

    def target(self, what):
        """(process, its worker), or None."""
        kinds = ("execute",) if what == "stop for good" else ("prepare", "execute")
        worker = self.worker(kinds)
        if worker is None:
            return None
        if what.endswith("job") or (what == "stop for good" and self.chance.random() < 0.5):
            below = proc.descendants(worker)
            return (self.chance.choice(below), worker) if below else None
        return worker, worker

    def file(self, end):
        """(path, hash of its code) of a file in the cache."""
        folder = os.path.join(self.cache, "pvf-cache")
        names = [n[:-5] for n in sorted(os.listdir(folder)) if n.endswith(".meta")]
        self.chance.shuffle(names)
        for name in names:
            try:
                with open(os.path.join(folder, f"{name}.meta"), "rb") as file:
                    sidecar = file.read()
            except OSError:
                continue
            for code in self.codes:
                if code.hash in sidecar:
                    return os.path.join(folder, name + end), code.hash
        return None

    # -- What can be done to them

    def note(self, what, begin, end=None, pid=None, code=None):
        self.counts[what] += 1
        self.done.append(Fault(what, begin, time.monotonic() if end is None else end, pid, code))

    def hit(self, what):
        found = self.target(what)
        if found is None:
            return
        pid, worker = found
        begin = time.monotonic()
        try:
            if what.startswith("kill"):
                os.kill(pid, signal.SIGKILL)
                self.note(what, begin, pid=worker)
                return
            os.kill(pid, signal.SIGSTOP)
        except ProcessLookupError:
            return
        self.stopped[pid] = begin + (1e9 if what == "stop for good"
                                     else self.chance.uniform(0.1, 2.5))
        # Until it is let go; see release().
        self.note(what, begin, end=self.stopped[pid] + 1, pid=worker)

    def damage(self, what):
        found = self.file(".meta" if "sidecar" in what else ".pvf")
        if found is None:
            return
        path, code = found
        begin = time.monotonic()
        try:
            if what.startswith("remove"):
                os.unlink(path)
            elif what.startswith("cut"):
                os.truncate(path, os.path.getsize(path) // 2)
            else:
                with open(path, "r+b") as file:
                    at = self.chance.randrange(os.path.getsize(path))
                    file.seek(at)
                    byte = file.read(1)[0]
                    file.seek(at)
                    file.write(bytes([byte ^ 1 << self.chance.randrange(8)]))
        except (OSError, IndexError, ValueError):
            return  # it was removed meanwhile, or is empty
        self.note(what, begin, code=code)

    def fill_disk(self):
        if self.full_until is not None:
            return
        info = os.statvfs(self.disk)
        used = (info.f_blocks - info.f_bfree) * info.f_frsize
        begin = time.monotonic()
        self.full_until = begin + self.chance.uniform(0.5, 4)
        try:
            remount(self.disk, used + self.chance.choice((0, 0, 4096, 1 << 20)))
        except OSError as error:
            # Somebody has written meanwhile; another time.
            if error.errno != errno.EINVAL:
                raise
            self.full_until = None
            return
        self.note("full disk", begin, end=self.full_until + 1)

    # -- Time passes

    def release(self, now):
        for pid in [p for p, until in self.stopped.items() if until <= now]:
            del self.stopped[pid]
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass
        for pid in [p for p in self.stopped if proc.read(p, "stat") is None]:
            del self.stopped[pid]
        if self.full_until is not None and self.full_until <= now:
            remount(self.disk, DISK_BYTES)
            self.full_until = None

    def step(self, now, quiet):
        """Lets go what was held long enough; unless it is to be quiet, breaks something more."""
        self.release(now)
        if quiet:
            self.next = max(self.next, now + self.pause / 2)
        elif now >= self.next:
            self.next = now + self.chance.expovariate(1 / self.pause)
            self.service.read_log()
            what = self.chance.choices(self.names, [WEIGHTS[n] for n in self.names])[0]
            if what == "full disk":
                self.fill_disk()
            elif what.endswith(("artifact", "sidecar")):
                self.damage(what)
            else:
                self.hit(what)

    def let_all_go(self):
        self.release(float("inf"))
