# SPDX-License-Identifier: Apache-2.0
"""Owns: the table of probes: what each is aimed at, how it ends in a job with all mechanisms on,
and which mechanism stops it when it is the only one.  SANDBOX.md says what the letters mean."""
import collections

# aim: see targets() in drive_probes.py.
# full: what a job with everything on says, or how it ends; "SIGSYS" is a death by the filter.
# alone: who stops it without the others:
#   a  what is always on: limits, capabilities, descriptors, seals
#   r  the changed root      l  Landlock (l4: from version 4 on)
#   s  seccomp               c  secure clone
# machine: not every machine lets it be done even outside, so there it may be refused.
Probe = collections.namedtuple("Probe", "aim full alone machine", defaults=(False,))

EXECUTE = {
    # Files.  The filter lets libraries look for theirs and find none: ENOENT.
    "open": Probe("passwd", "ENOENT", "r l s"),
    "open-parent": Probe("", "ENOENT", "r l s"),
    "open-self-mem": Probe("", "ENOENT", "r l s"),
    "open-by-other-call": Probe("passwd", "SIGSYS", "r l s"),
    "open-by-handle": Probe("passwd", "SIGSYS", "a", True),
    "write-file": Probe("artifact", "ENOENT", "r l s"),
    "create-file": Probe("new", "ENOENT", "r l s"),
    "make-folder": Probe("new", "SIGSYS", "r l s"),
    "truncate-file": Probe("artifact", "SIGSYS", "r l3 s"),
    "change-mode": Probe("artifact", "SIGSYS", "r s"),
    "see-file": Probe("passwd", "ENOENT", "r s"),
    "see-file-by-flag": Probe("passwd", "ENOENT", "r"),
    "read-link": Probe("", "ENOENT", "r s"),
    # The artifact's descriptor, which a job must have: a sealed copy.
    "write-fd": Probe("", "SIGSYS", "a"),
    "map-fd": Probe("", "EPERM", "a"),
    "truncate-fd": Probe("", "SIGSYS", "a"),
    "seal-fd": Probe("", "SIGSYS", "a"),
    "reopen-fd": Probe("", "ENOENT", "a"),
    # Other processes.
    "ask-kill": Probe("worker", "SIGSYS", "l6 s c"),
    "kill": Probe("victim", "SIGSYS", "l6 s c"),
    "ask-kill-all": Probe("", "SIGSYS", "s c"),
    "ask-kill-thread": Probe("victim", "SIGSYS", "l6 s c"),
    "queue-signal": Probe("victim", "SIGSYS", "l6 s c"),
    "take-fd": Probe("victim", "SIGSYS", "r l s c"),
    "trace": Probe("victim", "SIGSYS", "r l s c"),
    "read-memory": Probe("victim", "SIGSYS", "r l s c"),
    "see-session": Probe("victim", "SIGSYS", "s c"),
    "see-folder": Probe("victim", "ENOENT", "r l s"),
    "see-clock": Probe("victim", "ESRCH", "c"),
    "see-processors": Probe("victim", "ESRCH", "c"),
    # More processes.
    "make-process": Probe("", "SIGSYS", "s"),
    "make-process-by-old-call": Probe("", "SIGSYS", "s"),
    "make-process-by-new-call": Probe("", "ENOSYS", "s"),
    "make-sibling": Probe("", "SIGSYS", "s c"),
    "leave-process": Probe("", "SIGSYS", "s"),
    "leave-session": Probe("", "SIGSYS", "s"),
    "execute": Probe("program", "SIGSYS", "r l s"),
    "execute-by-other-call": Probe("program", "SIGSYS", "r l s"),
    # Rights.
    "mount": Probe("", "SIGSYS", "a"),
    "make-user-namespace": Probe("", "SIGSYS", "r s c"),
    "make-network-namespace": Probe("", "SIGSYS", "a"),
    "enter-namespace": Probe("", "SIGSYS", "a"),
    "change-root": Probe("", "SIGSYS", "a"),
    "pivot-root": Probe("", "SIGSYS", "a"),
    "regain-capabilities": Probe("", "SIGSYS", "a"),
    "raise-limit": Probe("", "SIGSYS", "a"),
    "be-dumpable": Probe("", "SIGSYS", "s"),
    "outlive-worker": Probe("", "SIGSYS", "s"),
    # Sockets.
    "socket": Probe("", "SIGSYS", "s"),
    "socketpair": Probe("", "SIGSYS", "s"),
    "connect-path": Probe("path", "SIGSYS", "r s"),
    "connect-abstract": Probe("abstract", "SIGSYS", "l6 s c"),
    "connect-tcp": Probe("tcp", "SIGSYS", "l4 s c"),
    "send-udp": Probe("udp", "SIGSYS", "s c"),
    "netlink": Probe("", "SIGSYS", "s"),
    # The kernel's surface.
    "io-uring": Probe("", "SIGSYS", "s", True),
    "userfault": Probe("", "SIGSYS", "s", True),
    "bpf": Probe("", "SIGSYS", "a", True),
    "perf": Probe("", "SIGSYS", "s", True),
    "keyring": Probe("", "SIGSYS", "s", True),
    "memory-file": Probe("", "SIGSYS", "s"),
    "type-into-terminal": Probe("", "ENOTTY", "a", True),
    "x32-call": Probe("", "SIGSYS", "s", True),
    "call-of-32-bits": Probe("", "SIGSYS", "s", True),
    "map-for-all": Probe("", "SIGSYS", "s"),
    "protect-for-all": Probe("", "SIGSYS", "s"),
    "make-all-executable": Probe("", "SIGSYS", "s"),
    "shared-segment": Probe("", "SIGSYS", "s", True),
    "watch-files": Probe("", "SIGSYS", "s"),
    # Limits.
    "map-much": Probe("memory", "ENOMEM", "a"),
    "many-descriptors": Probe("", "EMFILE", "a"),
    "duplicate": Probe("", "SIGSYS", "s"),
}

# A prepare job has no descriptor of an artifact, and its worker may write into the folder.
PREPARE = {name: probe for name, probe in EXECUTE.items() if not name.endswith("-fd")}
PREPARE["take-fd"] = EXECUTE["take-fd"]
for _name in ("write-file", "create-file", "make-folder"):
    PREPARE[_name] = EXECUTE[_name]._replace(alone="l s")
PREPARE["truncate-file"] = EXECUTE["truncate-file"]._replace(alone="l3 s")
PREPARE["change-mode"] = EXECUTE["change-mode"]._replace(alone="s")

TABLES = {"execute": EXECUTE, "prepare": PREPARE}

COLUMNS = {"a": (), "r": ("change-root",), "l": ("landlock",), "s": ("seccomp",),
           "c": ("secure-clone",)}

# What a process that the job made may leave where neither the filter forbids it nor a namespace
# ends it: one that left the job's group.  Everything else is gone with the job.
LEAVES = {"leave-session": ("a", "r", "l")}

# What only a zygote has something for: the socket to its worker, and children.
WIRE = {
    "forge-hello": Probe("worker", "SIGSYS", "s", True),
    "send-descriptors": Probe("", "SIGSYS", "s"),
    "kill-child": Probe("", "SIGSYS", "s"),
}


def of_zygotes():
    """How probes end in a zygote: as in a job, but that it may make jobs, and what it takes to."""
    table = {name: (probe.aim, probe.full) for name, probe in {**EXECUTE, **WIRE}.items()}
    for name, full in {
            # It may write, but not this: the artifact is sealed, also against seals.
            "write-fd": "EPERM",
            "seal-fd": "EPERM",
            "regain-capabilities": "EPERM",
            "raise-limit": "EPERM",
            # It may; its namespace ends it all the same, and nobody outside is shown it.
            "be-dumpable": "done",
            "outlive-worker": "done"}.items():
        table[name] = table[name][0], full
    return table


# What a zygote that was taken over does while it loads its artifact, the answers that may come from
# jobs that it is said to have made, and why its worker takes none of them, where it says so.
# Whatever else happens, the next job of its artifact is plain.
OWN = "ahead: an answer of its own"
NO_JOB = "nobody asked for|"
FAILED = "the plain way|another is made"
HIJACKS = {
    "stray": (("ahead: done",), ""),
    "many-strays": (("ahead: done",), ""),
    "stray-of-stray": (("ahead: done",), ""),
    "hello-itself": ((), NO_JOB + "claims to be a job"),
    "hello-without-end": ((), NO_JOB + "claims to be a job"),
    # Unless its hello comes after that of the honest job.
    "hello-of-the-dead": (("ahead: done",), NO_JOB + "dead, stopped or no child"),
    "long-hello": ((), NO_JOB + "no hello of a job"),
    "empty-hello": ((), NO_JOB + "no hello of a job"),
    "leave": ((), FAILED),
    "deaf": ((), FAILED),
    "never-hello": ((), FAILED),
    "never-fenced": ((), FAILED),
    "ignore-signals": ((), FAILED),
    "burn-in-threads": ((), FAILED),
    "garbage-for-a-word": ((), "not fenced"),
    "claim-fault": ((), "not fenced"),
    "be-the-job": ((), "claims to be a job"),
    "close-announce": ((), FAILED),
    "move-input": ((), FAILED),
    # These had the candidate: as any job that was taken over, they choose their own answer.
    "no-frame": (("JobError/Panic",), ""),
    "own-verdict": ((OWN,), ""),
    "answer-for-the-job": ((OWN,), ""),
    "two-jobs": ((OWN, "JobError/Panic"), ""),
    "leave-the-job": ((OWN,), ""),
}

# What cannot be stopped here is not a deed: how the job looks from inside.
MOUNTED = {"execute": "done ro nosuid nodev noexec", "prepare": "done nosuid nodev noexec"}
LOOK = ("done capabilities 0 0, death signal 9, dumpable 0, no new privileges 1, core 0, "
        "descriptors 16: device device device")
DESCRIPTORS = {"execute": " file pipe", "prepare": " pipe"}


def without_limit_of_memory():
    """In a build with a sanitizer, whose shadow is larger than any limit."""
    print("skipped: map-much: jobs of a build with a sanitizer have no limit of memory")
    for table in TABLES.values():
        del table["map-much"]


def stops(probe, letter, landlock):
    """Whether the mechanism is said to stop the probe by itself."""
    for word in probe.alone.split():
        if word == "a":
            return True
        if word[0] == letter and (len(word) == 1 or landlock >= int(word[1:])):
            return True
    return False
