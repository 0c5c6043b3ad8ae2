#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""cli_run_service PVF WORKERS SOURCE: `pvf run` with real workers: every example of
docs/run-protocol.md, faults, both ways to reach it, back-pressure, every way to its end."""
import base64
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.request

pvf, workers, source = sys.argv[1:4]
os.chdir(source)
ADDER = "tests/data/adder"
PATIENCE = 300
failed = 0


def fail(label, text):
    global failed
    failed += 1
    print(f"FAIL: {label}: {text}")


def check(label, condition, text=""):
    if not condition:
        fail(label, text)


class Service:
    """A running `pvf run`, with a cache folder of its own unless one is given."""

    def __init__(self, *options, cache=None, stdout=subprocess.PIPE):
        self.own = tempfile.mkdtemp() if cache is None else None
        self.process = subprocess.Popen(
            [pvf, "run", "--cache", cache or self.own, "--workers", workers, *options],
            stdin=subprocess.PIPE, stdout=stdout, stderr=subprocess.PIPE)

    def send(self, *requests):
        for request in requests:
            line = request if isinstance(request, bytes) else json.dumps(request).encode()
            self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        return json.loads(line) if line else None

    def wait_for(self, key, value):
        """The next answer whose member is this; others are dropped."""
        while True:
            answer = self.answer()
            if answer is None or answer.get(key) == value:
                return answer

    def end(self, label, status=0):
        """Closes the input; the remaining answers."""
        out, err = self.process.communicate(timeout=PATIENCE)
        if self.process.returncode != status:
            fail(label, f"status {self.process.returncode}, not {status}: {err.decode()}")
        if self.own:
            shutil.rmtree(self.own)
        return [json.loads(line) for line in (out or b"").splitlines()]


def session(label, requests, *options, cache=None):
    """All answers to some requests; the first is the greeting."""
    service = Service(*options, cache=cache)
    text = b"".join((r if isinstance(r, bytes) else json.dumps(r).encode()) + b"\n"
                    for r in requests)
    out, err = service.process.communicate(text, timeout=PATIENCE)
    check(label, service.process.returncode == 0, err.decode())
    if service.own:
        shutil.rmtree(service.own)
    return [json.loads(line) for line in out.splitlines()]


def code():
    return {"path": f"{ADDER}/code.wasm"}


def execute(number, **more):
    return {"op": "execute", "id": number, "code": code(), "pvd": {"path": f"{ADDER}/pvd.scale"},
            "pov": {"path": f"{ADDER}/block_data.bin"}, **more}


# Members whose value is another one in each run, or on each machine.
VOLATILE = {"cpu_us", "wall_us", "queued_us", "peak_rss", "peak_allocated", "text", "artifact_size",
            "checksum", "cache_bytes", "copied_bytes", "head_data", "result", "pvf", "landlock", "seccomp",
            "change_root", "secure_clone", "secure_validator_mode", "execute_workers",
            "prepare_workers", "preparations", "cache_entries", "requests", "job"}


def same_shape(label, example, answer, path=""):
    if isinstance(example, dict) and isinstance(answer, dict):
        # Who dies of a job has used memory; a code that is refused early has not.
        if set(example) - {"peak_rss"} != set(answer) - {"peak_rss"}:
            fail(label, f"{path}: {sorted(answer)}, documented {sorted(example)}")
            return
        for key, value in example.items():
            if key in answer:
                same_shape(label, value, answer[key], f"{path}.{key}")
        return
    name = path.rsplit(".", 1)[-1]
    if type(example) is not type(answer):
        fail(label, f"{path}: {answer!r}, documented {example!r}")
    elif name not in VOLATILE and example != answer:
        fail(label, f"{path}: {answer!r}, documented {example!r}")


def documented_examples():
    with open("docs/run-protocol.md", encoding="utf-8") as file:
        blocks = re.findall(r"```json (\w+)\n(.*?)\n```", file.read(), re.S)
    check("examples", [kind for kind, _ in blocks[1:]] == ["request", "answer"] * 10,
          str([kind for kind, _ in blocks]))
    service = Service()
    same_shape("greeting", json.loads(blocks[0][1]), service.answer())
    for (_, request), (_, answer) in zip(blocks[1::2], blocks[2::2]):
        service.send(request.encode())
        same_shape(request[:60], json.loads(answer), service.answer())
    check("examples", service.end("examples") == [])


def faults_are_answered_and_end_nothing():
    hashes = "00" * 32
    lines = [
        (b"nonsense", "no JSON at column"), (b"[]", "no JSON object"), (b"{", "no JSON"),
        (b'{"op": "stats", "op": "stats"}', "duplicate"), (b"\xff\xfe{}", "no JSON"),
        (b'{"op": "stats", "id": 123456789012345678901234567890}', "too big"),
        ({}, "op, a text, is missing"), ({"op": 7}, "op, a text, is missing"),
        ({"op": "frobnicate"}, "no operation"), ({"op": "stats", "id": -1}, "id: "),
        ({"op": "stats", "id": "x" * 257}, "id: "), ({"op": "stats", "id": None}, "id: "),
        ({"op": "stats", "more": 1}, 'no member "more"'),
        ({"op": "precheck", "code": code()}, "id is missing"),
        ({"op": "precheck", "id": 1}, "code: "),
        ({"op": "precheck", "id": 1, "code": "x"}, "code: "),
        ({"op": "precheck", "id": 1, "code": {"path": "x", "hex": "00"}}, "code: "),
        ({"op": "precheck", "id": 1, "code": {"path": "not/there"}}, "cannot open not/there"),
        ({"op": "precheck", "id": 1, "code": {"path": "tests"}}, "no plain file"),
        ({"op": "precheck", "id": 1, "code": {"path": "/dev/zero"}}, "no plain file"),
        ({"op": "precheck", "id": 1, "code": {"hex": "0x0"}}, "hex digits"),
        ({"op": "precheck", "id": 1, "code": {"hex": "0g"}}, "hex digits"),
        ({"op": "precheck", "id": 1, "code": code(), "bomb_limit": 4294967296}, "bomb_limit: "),
        ({"op": "precheck", "id": 1, "code": code(), "bomb_limit": "x"}, "bomb_limit: "),
        ({"op": "precheck", "id": 1, "code": code(), "executor_params": 1}, "executor_params: "),
        ({"op": "precheck", "id": 1, "code": code(), "executor_params": ["X"]}, "no parameter"),
        ({"op": "execute", "id": 1, "code": code()}, "one candidate is needed"),
        (execute(1, params={"hex": ""}), "one candidate is needed"),
        (execute(1, pvd={"hex": "00"}), "pvd"),
        ({"op": "execute", "id": 1, "code": code(), "params": {"hex": "00"}}, "params"),
        ({"op": "execute", "id": 1, "code": code(), "bundle": {"hex": ""}}, "no PoV at byte 0"),
        (execute(1, kind="disputed"), "kind: one of"), (execute(1, retry=1), "retry: "),
        (execute(1, scheduling_leaf="00"), "scheduling_leaf: 64"),
        (execute(1, descriptor="v4"), "descriptor: one of"),
        (execute(1, deadline_ms=-1), "deadline_ms: "), (execute(1, extra=0), 'no member "extra"'),
        ({"op": "active_leaves"}, "hashes: "),
        ({"op": "active_leaves", "hashes": [hashes, "0"]}, "hashes[1]: "),
        ({"op": "cancel"}, "target is missing"), ({"op": "cancel", "target": []}, "target: "),
        ({"op": "shutdown", "now": 1}, "now: "),
    ]
    for wrong in ("AAA", "AA=A", "A===", "AB==", "AAB=", "AA==\n", " AAAA", "AAA-"):
        lines.append(({"op": "precheck", "id": 1, "code": {"base64": wrong}}, "base64"))
    answers = session("faults", [b"", b" \t\r"] + [line for line, _ in lines])
    check("faults", len(answers) == len(lines) + 1, f"{len(answers)} answers")
    for number, ((line, text), answer) in enumerate(zip(lines, answers[1:]), 3):
        if (answer["type"], answer.get("line")) != ("error", number) or \
                text not in answer["text"] or not answer["status"].startswith("PVF_ERR_"):
            fail("faults", f"{line!r}: {answer}, not line {number} and {text!r}")


def inputs_in_every_form():
    with open(f"{ADDER}/code.wasm", "rb") as file:
        raw = file.read()
    with open(f"{ADDER}/pvd.scale", "rb") as file:
        pvd = file.read()
    with open(f"{ADDER}/block_data.bin", "rb") as file:
        pov = file.read()
    requests = [
        execute("path"),
        execute("hex", code={"hex": "0x" + raw.hex()}, pov={"hex": pov.hex().upper()}),
        execute("base64", code={"base64": base64.b64encode(raw).decode()}),
        {"op": "execute", "id": "params", "code": code(),
         "params": {"path": f"{ADDER}/validation_params.scale"}, "timeout_ms": "2000"},
        {"op": "execute", "id": "bundle", "code": code(), "executor_params": "0x00",
         "bundle": {"hex": bytes([len(pov) << 2]).hex() + pov.hex() + pvd.hex()}},
    ]
    answers = session("forms", requests, "--compile-threads", "2")
    check("forms", len(answers) == 6, str(answers))
    check("forms", {a["verdict"] for a in answers[1:]} == {"valid"}, str(answers))
    check("forms", len({a["result_hash"] for a in answers[1:]}) == 1, str(answers))
    # A last line without its end counts too.
    service = Service()
    out, _ = service.process.communicate(json.dumps(execute(1)).encode(), timeout=PATIENCE)
    check("forms", b'"verdict":"valid"' in out.splitlines()[-1], out.decode())
    shutil.rmtree(service.own)


def nothing_is_lost_under_back_pressure():
    """Far more than may live at a time, written without reading: the answers are all there."""
    count = 300
    requests = [execute(i) if i % 3 else {"op": "precheck", "id": i, "code": code()}
                for i in range(count)]
    answers = session("pressure", requests, "--max-live", "3")
    check("pressure", sorted(a["id"] for a in answers[1:]) == list(range(count)))
    check("pressure", all(a["verdict"] == "valid" for a in answers[1:]))


def new_code_runs_at_once():
    """On a first tier: told so, never refused there, and the same once it is optimised."""
    shell = "tests/data/shell-2021"
    job = {"op": "execute", "code": {"path": f"{shell}/code.blob"},
           "pvd": {"path": f"{shell}/pvd.scale"}, "pov": {"path": f"{shell}/block_data.bin"}}
    service = Service("--first-tier")
    service.answer()
    service.send({**job, "id": 1}, {**job, "id": 2, "pov": {"hex": "00"}})
    answers = [service.answer(), service.answer()]
    service.send({**job, "id": 3})
    answers = {a["id"]: a for a in answers + service.end("first tier")}
    check("first tier", [answers[i]["verdict"] for i in (1, 2, 3)] ==
          ["valid", "invalid", "valid"], str(answers))
    check("first tier", answers[1]["result_hash"] == answers[3]["result_hash"], str(answers))
    check("first tier", not any("first_tier" in answers[i] for i in (2, 3)), str(answers))
    check("first tier", answers[1].get("first_tier", True) is True, str(answers))


def who_finds_no_room_is_told():
    """Code that is larger than all requests may hold; then one that fits."""
    answers = session("room", [{"op": "precheck", "id": 1, "code": code()},
                               {"op": "precheck", "id": 2, "code": {"hex": "00"}}],
                      "--copied-max", "1K")
    check("room", [(a.get("id"), a["type"]) for a in answers[1:]] ==
          [(1, "error"), (2, "precheck")], str(answers))
    check("room", answers[1]["status"] == "PVF_ERR_LIMIT" and
          "copied_max_bytes" in answers[1]["text"], str(answers))


def damaged_lines_get_one_answer_each():
    lines = [json.dumps(r).encode() for r in (
        {"op": "precheck", "id": 1, "code": {"base64": "AGFzbQEAAAA="}, "executor_params": ["X"]},
        {"op": "active_leaves", "id": "a", "hashes": ["0x" + "01" * 32]},
        {"op": "cancel", "target": 2 ** 62, "id": "\u00e9\U0001f600"},
        execute(7, pov={"hex": "00ff"}, pvd={"hex": "00" * 41}, kind="dispute", deadline_ms="9"))]
    chance = random.Random(1)
    damaged = []
    while len(damaged) < 1500:
        line = bytearray(chance.choice(lines))
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(line))
            kind = chance.randrange(3)
            if kind == 0:
                line[at] ^= 1 << chance.randrange(8)
            elif kind == 1:
                del line[at]
            else:
                line[at:at] = chance.choice((b'"', b"{", b"}", b",", b"\\", b"[", b"0", b"\xff"))
        if line.strip(b" \t\r") and b"\n" not in line:
            damaged.append(bytes(line))
    answers = session("damaged", damaged)
    check("damaged", len(answers) == len(damaged) + 1, f"{len(answers)} answers")
    check("damaged", sum(a["type"] == "error" for a in answers) > 1000)


def who_writes_much_and_reads_late():
    """More answers than are kept for a client that does not read: it is not read from either.  All
    of the lines are at the service before the first answer is read."""
    count = 4000
    service = Service()
    service.send(*[b'{"op":"stats"}'] * count)
    service.answer()
    check("late", all(service.answer()["type"] == "stats" for _ in range(count)))
    # The same for far more than fits into a pipe.
    count *= 3
    writer = threading.Thread(
        target=service.send, args=[{"op": "stats", "id": i} for i in range(count)])
    writer.start()
    check("late", [service.answer()["id"] for _ in range(count)] == list(range(count)))
    writer.join()
    service.end("late")


def a_file_takes_answers_at_once():
    """Nothing tells of the lines that were left but that they are there."""
    count = 4000
    with tempfile.TemporaryFile() as file:
        service = Service(stdout=file)
        service.send(*[b'{"op":"stats"}'] * count, {"op": "shutdown"})
        try:
            service.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            fail("file", "it does not go on")
            service.process.kill()
        service.end("file")
        file.seek(0)
        check("file", len(file.readlines()) == count + 2)


def an_id_lives_once_and_may_come_again():
    # The preparation of this code takes long enough for the second line to meet the first.
    shell = {"path": "tests/data/shell-2021/code.blob"}
    service = Service()
    service.send({"op": "precheck", "id": 1, "code": shell},
                 {"op": "precheck", "id": 1, "code": shell},
                 {"op": "precheck", "id": "1", "code": shell})
    error = service.wait_for("type", "error")
    check("ids", error["id"] == 1 and error["line"] == 2 and "still lives" in error["text"])
    service.wait_for("id", 1)
    service.send({"op": "precheck", "id": 1, "code": shell})
    again = service.wait_for("id", 1)
    check("ids", again["stored"] is True, str(again))
    service.end("ids")


def what_is_cancelled_is_answered():
    shell = {"path": "tests/data/shell-2021/code.blob"}
    service = Service()
    service.send({"op": "precheck", "id": 1, "code": shell}, execute(2, code=shell),
                 {"op": "cancel", "id": 3, "target": 2}, {"op": "cancel", "target": 1})
    service.answer()
    answers = {}
    while len(answers) < 4:
        answer = service.answer()
        answers[answer.get("id", answer["type"])] = answer
    check("cancel", answers[3]["found"] is True, str(answers))
    check("cancel", answers["cancel"]["found"] is True, str(answers))
    check("cancel", (answers[2]["verdict"], answers[2]["reason"]) == ("internal", "cancelled"),
          str(answers[2]))
    check("cancel", answers[1]["verdict"] == "internal", str(answers[1]))
    service.end("cancel")


# validate_block is a loop without an end.
ENDLESS = ("0061736d0100000001070160027f7f017e0302010005030100010607017f004180100b072903066d"
           "656d6f727902000b5f5f686561705f6261736503000e76616c69646174655f626c6f636b00000a0a"
           "01080003400c000b000b")


def what_is_cancelled_is_killed():
    """Unless asked otherwise, as in the library: nobody could wait for the end of this one."""
    for options, timeout in (((), 86400000), (("--cancel-kills", "no"), 2000)):
        service = Service(*options)
        service.send(execute(1, code={"hex": ENDLESS}, kind="approval", timeout_ms=timeout))
        busy = 0
        while not busy:
            service.send({"op": "stats"})
            answer = service.answer()
            busy = answer.get("execute_busy", 0)
        service.send({"op": "cancel", "id": 2, "target": 1})
        answer = service.wait_for("id", 1)
        check("killed", (answer["verdict"], answer["reason"]) == ("internal", "cancelled"),
              str(answer))
        service.end("killed")


def the_cache_outlives_it():
    cache = tempfile.mkdtemp()
    first = session("cache", [execute(1)], cache=cache)
    check("cache", "preparation" in first[1], str(first))
    second = session("cache", [execute(1)], cache=cache)
    check("cache", "preparation" not in second[1] and second[1]["verdict"] == "valid", str(second))
    # One owner at a time.
    service = Service(cache=cache)
    service.answer()
    other = subprocess.run([pvf, "run", "--cache", cache, "--workers", workers], input=b"",
                           capture_output=True, timeout=PATIENCE, check=False)
    check("cache", other.returncode == 4 and b"could not start" in other.stderr, str(other))
    service.end("cache")
    shutil.rmtree(cache)


def its_cache_can_be_looked_at():
    """The other commands beside a running host: they work, or say who has it; it loses nothing."""
    cache = tempfile.mkdtemp()
    service = Service(cache=cache)
    service.send(execute(1))
    service.wait_for("id", 1)

    def beside(*arguments):
        return subprocess.run(
            [pvf, "cache", *arguments, "--cache", cache], capture_output=True, text=True,
            env={**os.environ, "PVF_WORKERS": workers}, timeout=PATIENCE, check=False)

    for arguments, status, text in (
            (["list", "--json"], 0, '"state": "good"'), (["verify"], 0, "1 good, 0 bad"),
            (["gc", "--max-size", "0", "--dry-run"], 0, "would remove 1 artifacts"),
            (["gc", "--max-size", "0"], 4, f"process {service.process.pid} (pvf) uses the cache"),
            (["gc", "--max-size", "0"], 4, "keeps within its own limits"),
            (["warm", f"{ADDER}/code.wasm"], 4, "send that host a heads-up")):
        run = beside(*arguments)
        check("beside", run.returncode == status and text in run.stdout + run.stderr, str(run))
    service.send(execute(2))
    answer = service.wait_for("id", 2)
    check("beside", answer["verdict"] == "valid" and "preparation" not in answer, str(answer))
    service.end("beside")
    run = beside("gc", "--max-size", "0")
    check("beside", run.returncode == 0 and "removed 1 artifacts" in run.stdout, str(run))
    shutil.rmtree(cache)


def signals_end_it():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        service = Service()
        service.send(execute(1))
        service.answer()
        # It has been taken when something behind it is answered.
        service.send({"op": "stats"})
        service.wait_for("type", "stats")
        service.process.send_signal(number)
        answers = service.end(f"signal {number}")
        check("signals", [(a["id"], a["verdict"]) for a in answers] in ([(1, "valid")], []),
              str(answers))
    service = Service()
    shell = {"path": "tests/data/shell-2021/code.blob"}
    service.send(execute(1, code=shell), {"op": "stats"})
    service.wait_for("type", "stats")
    service.process.send_signal(signal.SIGTERM)
    service.process.send_signal(signal.SIGINT)
    answers = service.end("two signals")
    check("signals", len(answers) == 1 and answers[0]["verdict"] in ("internal", "valid"),
          str(answers))


def shutdown_at_once():
    shell = {"path": "tests/data/shell-2021/code.blob"}
    answers = session("shutdown", [execute(1, code=shell), {"op": "shutdown", "now": True},
                                   {"op": "stats", "id": "too late"}])
    check("shutdown", [a["type"] for a in answers] == ["ready", "shutdown", "execute"],
          str(answers))
    check("shutdown", answers[2]["reason"] == "cancelled", str(answers))


def nobody_reads_its_output():
    read_end, write_end = os.pipe()
    service = Service(stdout=write_end)
    os.close(read_end)
    os.close(write_end)
    service.send(execute(1))
    service.end("no reader", status=4)


def a_line_that_is_too_long():
    service = Service()
    chunk = b"x" * (1 << 20)
    for _ in range(70):
        service.process.stdin.write(chunk)
    service.send(b"", {"op": "stats", "id": 2})
    service.answer()
    error = service.answer()
    check("long", error["line"] == 1 and "more than" in error["text"], str(error))
    check("long", service.wait_for("id", 2) is not None)
    service.send(b"more")
    check("long", service.answer()["line"] == 3)
    service.end("long")


class Client:
    """A connection to a service's socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(path)
        self.file = self.socket.makefile("rwb")
        self.greeting = json.loads(self.file.readline())

    def ask(self, *requests):
        for request in requests:
            self.file.write(json.dumps(request).encode() + b"\n")
        self.file.flush()

    def answer(self):
        line = self.file.readline()
        return json.loads(line) if line else None

    def close(self):
        self.file.close()
        self.socket.close()


def connect(service, path):
    """As soon as it listens."""
    while service.process.poll() is None:
        try:
            return Client(path)
        except (FileNotFoundError, ConnectionRefusedError):
            continue
    raise SystemExit(f"it has ended: {service.process.stderr.read().decode()}")


def a_socket_serves_several():
    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "socket")
    service = Service("--listen", path)
    one = connect(service, path)
    two = connect(service, path)
    check("socket", os.stat(path).st_mode & 0o777 == 0o600, oct(os.stat(path).st_mode))
    # The same ids, at the same time: each gets its own.
    one.ask(execute(1), execute(2, params=None) | {"params": 7})
    two.ask({"op": "precheck", "id": 1, "code": code()})
    check("socket", two.answer()["type"] == "precheck")
    check("socket", {one.answer()["type"], one.answer()["type"]} == {"execute", "error"})
    # Who ends its side still gets its answers; then the connection is closed.
    two.ask(execute(5))
    two.socket.shutdown(socket.SHUT_WR)
    check("socket", two.answer()["id"] == 5 and two.answer() is None)
    two.close()
    # Who goes away takes its requests along, and nobody else is touched.
    gone = connect(service, path)
    gone.ask(*[execute(i) for i in range(20)])
    gone.close()
    one.ask({"op": "stats", "id": "s"}, execute(3))
    check("socket", {one.answer()["type"], one.answer()["type"]} == {"execute", "stats"})
    one.ask({"op": "shutdown", "id": 9})
    check("socket", one.answer() == {"type": "shutdown", "id": 9, "now": False})
    check("socket", one.answer() is None)
    one.close()
    service.end("socket")
    check("socket", not os.path.exists(path), "it is still there")
    shutil.rmtree(folder)


def a_socket_has_places():
    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "socket")
    service = Service("--listen", path)
    clients = [connect(service, path) for _ in range(32)]
    # One more waits until somebody leaves.
    waiting = socket.socket(socket.AF_UNIX)
    waiting.settimeout(PATIENCE)
    waiting.connect(path)
    clients.pop().close()
    check("places", json.loads(waiting.makefile("rb").readline())["type"] == "ready")
    waiting.close()
    for client in clients:
        client.close()
    service.process.send_signal(signal.SIGTERM)
    service.end("places")
    shutil.rmtree(folder)


def who_watches_it_sees_figures():
    service = Service("--metrics", "0")
    address = service.answer()["metrics"]
    service.send(execute(1))
    service.answer()
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=PATIENCE) as answer:
        text = answer.read().decode()
    check("metrics", "polkadot_pvf_execution_time_count" in text, text[:2000])
    with urllib.request.urlopen(f"http://{address}/health", timeout=PATIENCE) as answer:
        check("metrics", answer.read().decode().strip() == "healthy")
    service.end("metrics")


def its_log_can_be_followed():
    """From a request by its job to the worker that had it, and to what that worker wrote."""
    service = Service("--log", "debug", "--log-format", "json")
    service.send(execute("one", kind="approval"))
    job = service.wait_for("id", "one")["job"]
    _, err = service.process.communicate(timeout=PATIENCE)
    shutil.rmtree(service.own)
    records = [json.loads(line) for line in err.decode().splitlines()]
    check("log", all(set(r) >= {"time", "level", "component", "text"} for r in records), err)
    texts = [r["text"] for r in records if r.get("job") == job]
    wanted = ["taken: approval, code 0x", f"job {job} is request 1 of prepare worker ",
              "preparation: good", f"job {job} is request 1 of execute worker ",
              "execution: valid", "answered: valid"]
    check("log", len(texts) == len(wanted) and
          all(text.startswith(want) for text, want in zip(texts, wanted)), str(texts))
    # As text the same is for people, one line each.
    service = Service("--log", "debug")
    service.send(execute("one"))
    _, err = service.process.communicate(timeout=PATIENCE)
    shutil.rmtree(service.own)
    check("log", re.search(rb"^pvf: debug: service: job \d+: answered: valid", err, re.M), err)


def wrong_command_lines():
    folder = tempfile.mkdtemp()
    for arguments, text in (
            (["--cache", folder, "more"], "takes no 'more'"), ([], "needs a folder"),
            (["--cache", folder, "--max-live", "0"], "--max-live takes"),
            (["--cache", folder, "--policy", "x"], "--policy is"),
            (["--cache", folder, "--cancel-kills", "x"], "--cancel-kills is"),
            (["--cache", folder, "--log", "x"], "--log: "),
            (["--cache", folder, "--log-format", "x"], "--log-format is"),
            (["--cache", folder, "--cache-max", "1T"], "--cache-max takes a size"),
            (["--cache", folder, "--compile-threads", "17"], "--compile-threads takes"),
            (["--cache", folder, "--copied-max", "x"], "--copied-max takes a size"),
            (["--cache", folder, "--metrics", "nowhere"], "--metrics: "),
            (["--cache", folder, "--listen", ""], "--listen: "),
            (["--cache", folder, "--frobnicate"], "unrecognized option"),
            (["--cache", folder, "--workers", "/"], "holds no pvf-prepare-worker")):
        run = subprocess.run([pvf, "run", *arguments], input=b"", capture_output=True,
                             env={**{k: v for k, v in os.environ.items() if k != "PVF_CACHE"},
                                  "PVF_WORKERS": workers},
                             timeout=PATIENCE, check=False)
        check("usage", run.returncode == 2 and text in run.stderr.decode() and not run.stdout,
              f"{arguments}: {run}")
    shutil.rmtree(folder)


def main():
    documented_examples()
    faults_are_answered_and_end_nothing()
    new_code_runs_at_once()
    who_finds_no_room_is_told()
    damaged_lines_get_one_answer_each()
    inputs_in_every_form()
    nothing_is_lost_under_back_pressure()
    who_writes_much_and_reads_late()
    a_file_takes_answers_at_once()
    an_id_lives_once_and_may_come_again()
    what_is_cancelled_is_answered()
    what_is_cancelled_is_killed()
    the_cache_outlives_it()
    its_cache_can_be_looked_at()
    signals_end_it()
    shutdown_at_once()
    nobody_reads_its_output()
    a_line_that_is_too_long()
    a_socket_serves_several()
    a_socket_has_places()
    who_watches_it_sees_figures()
    its_log_can_be_followed()
    wrong_command_lines()
    print(f"{failed} faults" if failed else "all as it should be")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
