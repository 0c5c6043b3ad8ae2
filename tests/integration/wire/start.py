# SPDX-License-Identifier: Apache-2.0
"""Cases before the first request: first arguments, checks, options, version, folder, socket,
environment, mechanisms of the sandbox."""
import os
import shutil
import socket
import subprocess

import corpus_wire

from . import modules
from .suite import Skip, add, case, collapse, each_kind, execute_request, prepare_request
from .worker import CLEAN, Rendezvous, Silent, run

CHECKS = {bit: [word] for bit, word in enumerate(corpus_wire.CHECKS, 1)}
OTHER = {"prepare": "execute", "execute": "prepare"}


def version_of(program):
    return run(program, "--version")[1].decode()[:-1]


@each_kind("--version and -v", "exit 0, one word in one line, both the same")
def _(t, kind):
    long, short = (run(t.programs[kind], word) for word in ("--version", "-v"))
    form = len(long[1].split()) == 1 and long[1].endswith(b"\n") and long[1].count(b"\n") == 1
    return (f"{long[0]}, {'one word in one line' if form else long[1]}, "
            f"{'both the same' if long == short else short}")


@each_kind("--full-version", "exit 0, the version and a commit")
def _(t, kind):
    code, out, _ = run(t.programs[kind], "--full-version")
    front = version_of(t.programs[kind]) + "-"
    good = out.decode().startswith(front) and out.strip().decode() != front
    return f"{code}, {'the version and a commit' if good else out}"


@each_kind("help", "exit 0, four lines that begin with kind, version and commit")
def _(t, kind):
    program = t.programs[kind]
    seen = [run(program, *words)[:2] for words in ((), ("--help",), ("-h",))]
    if seen.count(seen[0]) != 3:
        return f"three ways, not one text: {seen}"
    code, out = seen[0]
    lines = out.decode().split("\n")
    good = (len(lines) == 5 and lines[0] == f"{kind}-worker {version_of(program)}" and
            lines[1].startswith("commit: ") and lines[2] == lines[4] == "" and lines[3] != "")
    return f"{code}, {'four lines that begin with kind, version and commit' if good else out}"


@each_kind("test-sleep", "exit 0, silent")
def _(t, kind):
    code, out, _ = run(t.programs[kind], "test-sleep")
    return f"{code}, {'silent' if not out else out}"


@each_kind("only the first word selects the mode", "exit 0, exit 101")
def _(t, kind):
    program = t.programs[kind]
    return (f"{run(program, '--version', f'{kind}-worker', '--nonsense')[0]}, "
            f"{run(program, f'{kind}-worker', '--version')[0]}")


@each_kind("--version before a word that is no UTF-8")
def _(t, kind):
    return run(t.programs[kind], "--version", b"\xff")[0]


def check_words(bit, folder):
    return CHECKS[bit] + ([folder] if bit == 3 else [])


def check_result(t, kind, bit):
    with Rendezvous(kind) as place:
        return run(t.programs[kind], *check_words(bit, place.folder))


for _bit, _words in CHECKS.items():
    @each_kind(f"{_words[0]}", "0 and silent, or 255 and a reason")
    def _(t, kind, bit=_bit):
        code, out, err = check_result(t, kind, bit)
        if (code, out) == ("exit 0", b"") or (code == "exit 255" and not out and err.strip()):
            return "0 and silent, or 255 and a reason"
        return f"{code} {out} {err}"


@each_kind("a change of root onto no folder", "exit 255, with a reason")
def _(t, kind):
    code, _, err = run(t.programs[kind], *CHECKS[3], os.path.join(t.scratch, "nowhere"))
    return f"{code}, {'with a reason' if err.strip() else 'without a reason'}"


@each_kind("a change of root without its folder", "exit 101")
def _(t, kind):
    code, _, err = run(t.programs[kind], *CHECKS[3])
    if b"built without" in err:
        raise Skip("no sandbox in these workers")
    return code


def arguments_for(kind, place):
    socket_path, folder = ["--socket-path", place.path], ["--worker-dir-path", place.folder]
    word = f"{kind}-worker"
    return {
        "an unknown first word": ["what"],
        "an empty first word": [""],
        "-V": ["-V"],
        "the word of the other kind": [f"{OTHER[kind]}-worker", *socket_path, *folder],
        "no options": [word],
        "no socket path": [word, *folder],
        "no worker folder": [word, *socket_path],
        "an option without its value": [word, *socket_path, "--worker-dir-path"],
        "an unknown option": [word, *socket_path, *folder, "--what", "x"],
        "a word that is no option": [word, *socket_path, *folder, "what"],
        "an option in one word": [word, *socket_path, "--worker-dir-path=" + place.folder],
        "a first word that is no UTF-8": [b"\xff"],
        "a socket path that is no UTF-8": [word, *folder, "--socket-path", b"/tmp/\xff"],
        "a version that is no UTF-8": [word, *folder, *socket_path, "--node-impl-version", b"\xff"],
    }


def _add_arguments(kind):
    with Rendezvous(kind) as place:
        names = list(arguments_for(kind, place))
    for name in names:
        def bad(t, name=name):
            with Rendezvous(kind) as place:
                code, out, err = run(t.programs[kind], *arguments_for(kind, place)[name])
                return (f"{code}, {'not met' if not place.was_met() else 'met'}, "
                        f"{'a reason on stderr' if err and not out else 'no reason on stderr'}")
        add(f"{kind}: arguments: {name}", "exit 101, not met, a reason on stderr", bad)


_add_arguments("prepare")
_add_arguments("execute")


def serves(t, worker, security=None):
    """Whether a worker under these flags answers a good request, and with it all before works."""
    security = t.security if security is None else security
    artifact, checksum = t.artifact(modules.CONSTANT)
    with worker:
        if worker.kind == "prepare":
            worker.put("tmp-artifact", b"")
            worker.send(security, prepare_request(modules.CONSTANT))
        else:
            worker.put("artifact", artifact)
            worker.send(security, b"\0", execute_request(checksum))
        try:
            answer = worker.receive()
        except Silent:
            return worker.end()
        return "served" if answer.name == "Ok" else f"{answer.name} {answer.text}"


@each_kind("options may come twice, the last one counts", "served")
def _(t, kind):
    words = ["--worker-dir-path", "/nowhere", "--socket-path", "/nowhere"]
    return serves(t, t.connect(kind, words=words))


@each_kind("the node's version is its own", "served")
def _(t, kind):
    words = ["--node-impl-version", version_of(t.programs[kind])]
    return serves(t, t.connect(kind, words=words))


@each_kind("the node's version is another", "its parent gets SIGTERM, exit 1, not met")
def _(t, kind):
    seen = set()
    for version in (version_of(t.programs[kind]) + "x", version_of(t.programs[kind])[:-1], ""):
        with Rendezvous(kind) as place:
            # The shell stands for the node: it notes the signal, and what became of its child.
            node = subprocess.run(
                ["sh", "-c", "trap 'got=SIGTERM' TERM; \"$@\"; echo \"$got, exit $?\"", "node",
                 t.programs[kind], f"{kind}-worker", *place.options(), "--node-impl-version",
                 version], env=CLEAN, capture_output=True, timeout=60, check=False)
            out = node.stdout.decode().strip()
            seen.add(f"its parent gets {out}, {'met' if place.was_met() else 'not met'}")
    return " / ".join(sorted(seen))


@case("a version file beside the program")
def _(t):
    copy = os.path.join(t.scratch, "with-a-version")
    shutil.copy(t.programs["prepare"], copy)
    note = os.path.join(t.scratch, "pvf-node-version")
    with open(note, "wb") as file:
        file.write(b"9.9.9\n")
    os.chmod(note, 0o644)
    try:
        return "the file's" if version_of(copy) == "9.9.9" else "compiled in"
    finally:
        os.unlink(note)


@case("inspect as the first argument")
def _(t):
    code, out, _ = run(t.programs["prepare"], "inspect", stdin=modules.CONSTANT)
    return f"{code}, {'JSON' if out.startswith(b'{') else 'silent' if not out else out}"


@case("--wire-upgrades as the first argument")
def _(t):
    seen = {kind: run(t.programs[kind], "--wire-upgrades") for kind in ("prepare", "execute")}
    return collapse({kind: f"{code}, {out.decode().strip() or 'silent'}" for kind, (code, out, _) in seen.items()})


def _start(t, kind, *words):
    code, out, _ = run(t.programs[kind], f"{kind}-worker", *words)
    return f"{code}{', wrote to stdout' if out else ''}"


@each_kind("a folder that is none", "exit 1, not met")
def _(t, kind):
    seen = set()
    with Rendezvous(kind) as place:
        for folder in (os.path.join(place.folder, "nowhere"), t.programs[kind], ""):
            seen.add(_start(t, kind, "--socket-path", place.path, "--worker-dir-path", folder))
        if os.geteuid() != 0:
            os.chmod(place.folder, 0o300)
            seen.add(_start(t, kind, *place.options()))
            os.chmod(place.folder, 0o700)
        return f"{' / '.join(seen)}, {'met' if place.was_met() else 'not met'}"


@each_kind("a socket that is none", "exit 1, exit 1, exit 1, exit 1, the file is still there")
def _(t, kind):
    file = os.path.join(t.scratch, f"{kind}-no-socket")
    deaf = os.path.join(t.scratch, f"{kind}-deaf")
    with open(file, "wb"):
        pass
    with Rendezvous(kind) as place, socket.socket(socket.AF_UNIX) as unheard:
        unheard.bind(deaf)
        seen = [_start(t, kind, "--socket-path", path, "--worker-dir-path", place.folder)
                for path in (os.path.join(place.folder, "nowhere"), file, deaf, "/" + "x" * 107)]
    return f"{', '.join(seen)}, the file is {'still there' if os.path.exists(file) else 'gone'}"


@each_kind("the longest socket path", "served")
def _(t, kind):
    return serves(t, t.connect(kind, path_length=107))


@each_kind("a host that is gone before the handshake", "silent, exit 1")
def _(t, kind):
    with t.connect(kind) as worker:
        return worker.end()


ENVIRONMENTS = (
    ("without RUST_LOG", {}, "served, served"),
    ("with directives in RUST_LOG", {"RUST_LOG": "parachain=debug,info"}, "served, served"),
    ("with another variable", {**CLEAN, "PATH": "/bin"}, "served, silent, exit 1"),
    ("with a name that begins alike", {**CLEAN, "RUST_LOG_STYLE": "x"}, "served, silent, exit 1"),
)

for _name, _env, _want in ENVIRONMENTS:
    @each_kind(f"environment {_name}: non-secure, secure", _want)
    def _(t, kind, env=_env):
        return ", ".join(serves(t, t.connect(kind, env=env), secure + bytes(4))
                         for secure in (b"\0", b"\1"))


def available(t, kind, bit):
    return check_result(t, kind, bit)[0] == "exit 0"


@each_kind("every set of mechanisms that its checks allow", "all served")
def _(t, kind):
    have = [bit for bit in CHECKS if available(t, kind, bit)]
    bad = []
    for subset in range(1 << len(have)):
        for secure in (0, 1):
            flags = bytearray([secure, 0, 0, 0, 0])
            for i, bit in enumerate(have):
                flags[bit] = subset >> i & 1
            seen = serves(t, t.connect(kind), bytes(flags))
            if seen != "served":
                bad.append(f"{flags.hex()}: {seen}")
    return "; ".join(bad) or "all served"


@each_kind("a mechanism that its checks deny", "as promised")
def _(t, kind):
    lacks = [bit for bit in CHECKS if bit != 4 and not available(t, kind, bit)]
    if not lacks:
        raise Skip("the checks deny nothing here")
    bad = []
    for bit in lacks:
        for secure in (0, 1):
            flags = bytearray([secure, 0, 0, 0, 0])
            flags[bit] = 1
            seen = serves(t, t.connect(kind), bytes(flags))
            if (seen == "served") == (secure == 1 or bit == 3):
                bad.append(f"{flags.hex()}: {seen}")
    return "; ".join(bad) or "as promised"
