#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""drive_zygote_probes.py jobs|endings|inside|hijacks PROBE_WORKER [--sanitized]

The hostile deeds of drive_probes.py, which must succeed outside, where jobs are made ahead of need:

jobs     every probe in a job that a zygote made, with and without Landlock; what the kernel says of
         such a job from outside, beside a plain one
endings  every way in which such a job can end, or not end
inside   every probe in the zygote itself, which it runs while it loads its artifact; the end of
         zygotes that nobody needs, or whose artifact made room
hijacks  whatever a zygote that was taken over can do to its worker: the next answers to its own
         artifact are right, or of a job that was taken over; another artifact's zygote does not
         notice, and nothing is left behind

--sanitized  the build has a sanitizer, whose shadow is larger than any limit of memory

Exit status 0 when all is as expected, 77 when this machine lacks what zygotes need, which is a
failure with PVF_SANDBOX_MUST_WORK=1."""
import argparse
import os
import re
import signal
import sys

sys.dont_write_bytecode = True
import endings  # noqa: E402
import expected  # noqa: E402
import rig  # noqa: E402
import zygotes  # noqa: E402
from rig import family  # noqa: E402
from zygotes import HONEST, NO_ZYGOTE, Artifact, Large, Nursery  # noqa: E402

NO_LANDLOCK = tuple(flag for flag in rig.FLAGS if flag != "landlock")
DIED = 49  # where the exit code is among the fields of /proc/PID/stat, from the state on
LONG = 50  # seconds; for more there are no zygotes
PLACES = 4  # as many artifacts a worker keeps
LARGE = 200 << 20  # three of them are more than it keeps
BURNT = 5  # ticks: no honest zygote needs as many
TURNS = 4  # two plain ones, then two of a zygote


def probe_jobs(tally, program, around, on):
    """As in any other job."""
    where = f"a zygote's job, {'all on' if on == rig.FLAGS else 'without Landlock'}"
    worker = Nursery(program, on=on)
    worker.left_behind()
    for name, probe in expected.EXECUTE.items():
        tally.begin(f"{where}: {name}")
        got = worker.ask_probe(f"{name} {rig.targets(worker, around, True)[probe.aim]}")
        if name.startswith("execute") and got == "JobError/Panic":
            got = "done"  # another program ran, which sends no frame
        tally.check(f"{where}: {name}", got, probe.full)
        tally.check(f"{where}: {name}: the victim lives", around.victim_lives(), True)
        tally.check(f"{where}: {name}: orphans", rig.orphans_left(worker, around, 30), 0)
        tally.check(f"{where}: {name}: left behind", worker.left_behind(), "")
    tally.check(f"{where}: end", worker.end_all(), ("exit 1", True))


def start_waiting(worker, is_there):
    """A job that will not end by itself, once it runs; its number."""
    worker.send(worker.request("wait-for-ever", LONG))
    return rig.wait_for(lambda: next((pid for pid in rig.children(worker.pid) if is_there(pid)),
                                     None), family.PATIENCE)


def seen(pid):
    return zygotes.rights(pid), zygotes.limits(pid), zygotes.files(pid)


def compare_from_outside(tally, program):
    """The rights, limits and descriptors of both kinds of jobs while they run; the namespaces are
    neither the machine's nor the worker's."""
    with rig.Launched(program, "execute").ready(*rig.FLAGS) as worker:
        worker.ask_probe("look")  # the fence stands
        if worker.fds() is None:
            tally.note("the descriptors of workers are not shown to this user")
            return
    looks = {}
    for ahead in (False, True):
        worker = Nursery(program)
        if ahead:
            job, before = worker.ahead(), worker.fds()
            worker.send(worker.request("wait-for-ever", LONG))
            tally.check("both kinds: it runs",
                        rig.wait_for(lambda: worker.fds() < before, family.PATIENCE), True)
        else:
            job = start_waiting(worker, lambda pid: family.filters(pid) == 2)
        rig.wait_for(lambda job=job: family.is_asleep(job), family.PATIENCE)
        looks[ahead] = seen(job)
        for name, inode in zygotes.namespaces(job).items():
            others = [zygotes.namespaces(pid)[name] for pid in (os.getpid(), worker.pid)]
            # The worker has a user namespace of its own, which has no names in it.
            wrong = others[:1] if name == "user" else others
            tally.check(f"both kinds, ahead {ahead}: namespace {name}", inode in wrong, False)
        for pid, name in family.family(worker.pid).items():
            rights = zygotes.rights(pid)
            makes_jobs = name == family.ZYGOTE
            caps = f"{1 << 21 if makes_jobs else 0:016x}"
            tally.check(f"rights of {name}", rights,
                        {"CapInh": f"{0:016x}", "CapPrm": caps, "CapEff": caps,
                         "CapAmb": f"{0:016x}", "NoNewPrivs": "1", "Seccomp": "2"})
        everybody = family.Everybody(worker.pid)
        worker.process.kill()
        tally.check("both kinds: all gone", everybody.goes(), True)
        worker.close()
    for index, what in enumerate(("rights", "limits", "files")):
        plain, ahead = looks[False][index], looks[True][index]
        if what == "limits":
            # The backstop is set before the candidate's limit is known; no job has none.
            times = [look.pop("Max cpu time")[0] for look in (plain, ahead)]
            tally.check("both kinds: a limit of time", "unlimited" in times, False)
        tally.check(f"both kinds: {what}", ahead, plain)


def jobs(tally, program, around):
    compare_from_outside(tally, program)
    for on in (rig.FLAGS, NO_LANDLOCK):
        probe_jobs(tally, program, around, on)


def run_endings(tally, program, _around):
    endings.run_execute(tally, program, rig.FLAGS, ahead=True)


def death_of_zygote(worker):
    """The zygote of the worker's artifact dies while it loads it: how.  It is not reaped yet."""
    for _ in range(zygotes.TRIES):
        if worker.bring_up():
            dead = rig.wait_for(lambda: next(
                (pid for pid in rig.children(worker.pid) if family.comm(pid) == family.ZYGOTE and
                 family.group(pid) == worker.artifact.group and rig.is_gone(pid)), None),
                family.PATIENCE)
            if not dead:
                return "it lives"
            fields = rig.process_fields(dead)
            if fields is not None:
                return signal.Signals(int(fields[DIED]) & 0x7F).name
        worker.renew()
    return "there is no zygote"


def probe_zygote(tally, worker, around, name, aim, want):
    aims = rig.targets(worker, around, True)
    worker.use(Artifact(f"zygote {name} {aims[aim]}"))
    if want == "SIGSYS":
        got = death_of_zygote(worker)
        tally.check(f"zygote: {name}: next answer", worker.ask_plainly("tell-zygote"), NO_ZYGOTE)
    else:
        got = worker.ask_probe("tell-zygote")
    tally.check(f"zygote: {name}", got, want)
    tally.check(f"zygote: {name}: the victim lives", around.victim_lives(), True)
    tally.check(f"zygote: {name}: orphans", rig.orphans_left(worker, around, 30), 0)


def inside(tally, program, around):
    """Each of them has an artifact of its own."""
    worker = Nursery(program)
    worker.left_behind()
    honest = worker.artifact
    for name, (aim, want) in expected.of_zygotes().items():
        tally.begin(f"zygote: {name}")
        probe_zygote(tally, worker, around, name, aim, want)
    make_room(worker)
    worker.use(honest)
    tally.check("after all that", worker.ask_probe("tell-zygote"), HONEST)
    tally.check("after all that: left behind", worker.left_behind(), "")
    tally.check("zygotes: end", worker.end_all(), ("exit 1", True))
    idle(tally, program)
    budget(tally, program)


def make_room(worker, kept=()):
    """Artifacts that are used once take all places but those of the ones that are kept."""
    for _ in range(PLACES - len(kept)):
        for artifact in kept:
            worker.use(artifact)
            worker.ask_plainly("tell-zygote")
        worker.use(Artifact("used once"))
        worker.ask_plainly("tell-zygote")
    worker.come_to_rest()


def idle(tally, program):
    """A worker without requests ends its zygotes, and has them again when it is used."""
    worker = Nursery(program, idle_ms=200)
    for turn in range(2):
        tally.begin(f"idle, turn {turn}")
        for _ in range(3):
            worker.ask_plainly("tell-zygote")
        tally.check(f"idle, turn {turn}: processes end",
                    rig.wait_for(lambda: not rig.children(worker.pid), family.PATIENCE), True)
    tally.check("idle: end", worker.end_all(), ("exit 1", True))


def budget(tally, program):
    """Artifacts that need more memory than a worker keeps them in: the zygote of the one that made
    room ends, that of the other does not notice."""
    worker = Nursery(program)
    first, second, third = (Large(f"large {i}", program, LARGE) for i in range(3))
    families = {}
    for artifact in (first, second):
        tally.begin(f"memory: {artifact.text}")
        worker.use(artifact)
        tally.check(f"memory: {artifact.text}", worker.ask_probe("tell-zygote"), HONEST)
        worker.ahead()
        families[artifact] = worker.family()
    worker.use(third)
    tally.check("memory: one too many", worker.ask_plainly("tell-zygote"), NO_ZYGOTE)
    worker.come_to_rest()
    tally.check("memory: the first is gone",
                rig.wait_for(lambda: not set(families[first]) & set(rig.children(worker.pid)),
                             family.PATIENCE), True)
    worker.use(second)
    tally.check("memory: the second", worker.family(), families[second])
    tally.check("memory: the second's answer", worker.ask_probe("tell-zygote"), HONEST)
    tally.check("memory: end", worker.end_all(), ("exit 1", True))


def members(worker, group):
    return [pid for pid in rig.children(worker.pid) if family.group(pid) == group]


def settle(worker):
    """Until all that this artifact made is dead, waits for something, or does nothing but burn."""
    group = worker.find_group()
    rig.wait_for(lambda: all(rig.is_gone(pid) or family.is_asleep(pid) or family.ticks(pid) > BURNT
                             for pid in members(worker, group)), family.PATIENCE)


def hijack(tally, worker, honest, name):
    """What a zygote does that was taken over, while its worker has an honest one too."""
    own, why = expected.HIJACKS[name]
    worker.use(honest)
    before = worker.look(), worker.family()
    worker.use(Artifact(f"zygote {name}"))
    heard, got, was_there = len(worker.log()), [], False
    for _ in range(TURNS):
        got.append(worker.ask_plainly("tell-zygote"))
        worker.come_to_rest()
        settle(worker)
        was_there |= worker.artifact.group is not None
    if why == expected.FAILED:
        tally.check(f"{name}: there was a zygote", was_there, True)
    tally.check(f"{name}: plain answers", got[:2], [NO_ZYGOTE] * 2)
    tally.check(f"{name}: answers", set(got[2:]) - {NO_ZYGOTE, *own}, set())
    if not why:
        tally.check(f"{name}: its own answer", bool(set(got) & set(own)), True)
    tally.check(f"{name}: why not", bool(re.search(why, worker.log()[heard:])), True)
    worker.use(honest)
    tally.check(f"{name}: the other's zygote", worker.family(), before[1])
    tally.check(f"{name}: the other's answer", worker.ask_probe("tell-zygote"), HONEST)
    make_room(worker, [honest])
    worker.use(honest)
    tally.check(f"{name}: left behind", worker.left_behind(), "")


def hijacks(tally, program, around):
    worker = Nursery(program)
    worker.left_behind()
    honest = worker.artifact
    for name in expected.HIJACKS:
        tally.begin(f"hijacked: {name}")
        hijack(tally, worker, honest, name)
    tally.check("hijacked: end", worker.end_all(), ("exit 1", True))
    tally.check("hijacked: orphans", rig.orphans_left(worker, around, 30), 0)
    for name in expected.HIJACKS:
        # The same, and the worker ends first.
        tally.begin(f"hijacked: {name}, the worker ends")
        worker = Nursery(program)
        worker.use(Artifact(f"zygote {name}"))
        worker.bring_up()
        settle(worker)
        tally.check(f"{name}: end of all", worker.end_all(), ("exit 1", True))


PARTS = {"jobs": jobs, "endings": run_endings, "inside": inside, "hijacks": hijacks}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("program")
    parser.add_argument("--sanitized", action="store_true")
    args = parser.parse_args()
    program = os.path.abspath(args.program)
    family.adopt_orphans()
    lacking = rig.missing(program)
    if lacking:
        print(f"skipped: this machine has no zygotes: {lacking}")
        return 1 if rig.MUST_WORK else 77
    if args.sanitized:
        expected.without_limit_of_memory()
    tally = rig.Tally(family.Deadline(540))
    with rig.Around(program) as around:
        PARTS[args.part](tally, program, around)
    return tally.end()


if __name__ == "__main__":
    sys.exit(main())
