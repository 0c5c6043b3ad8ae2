# SPDX-License-Identifier: Apache-2.0
"""Requests of every kind, in random order, as many at a time as a client may have; and the books of
what was asked and answered."""
import collections
import json
import time

from . import inputs as corpus

KINDS = ("backing", "backing-system-paras", "approval", "dispute")
LEAVES = ["0x" + f"{i:02x}" * 32 for i in range(1, 5)]
# Enough for every candidate many times over; 4 x this is how long a stopped job is waited for.
TIMEOUT_MS = 4000
SHOWN = 20  # faults that are printed as they come; the report has all
OPERATIONS = {"execute": 80, "precheck": 8, "heads_up": 4, "cancel": 4, "active_leaves": 2,
              "stats": 1, "wrong": 1}


class Request:
    def __init__(self, number, op, client):
        self.number, self.op, self.client = number, op, client
        self.sent = time.monotonic()
        self.answered = None
        self.answer = None
        self.input = self.code = self.kind = self.leaf = self.deadline_ms = None
        self.retry = False
        self.target = None  # of a cancel
        self.cancels = []   # those that were sent for it


class Load:
    def __init__(self, chance, inputs, codes, depth):
        self.chance, self.inputs, self.codes, self.depth = chance, inputs, codes, depth
        self.clients = []
        self.number = 0
        self.live = {}      # by number
        self.jobs = {}      # number in the service's log -> request
        self.odd = []       # answers that have to be explained
        self.faults = []    # what no fault explains
        self.counts = collections.Counter()
        self.leaves = []    # [from, until, set] in which a set may have been in force
        self.stats = {}

    def fault(self, text):
        self.faults.append(text)
        if len(self.faults) <= SHOWN:
            print(f"FAIL: {text}", flush=True)

    # -- Out

    def new(self, op, client):
        self.number += 1
        request = Request(self.number, op, client)
        self.live[request.number] = request
        self.counts[f"sent {op}"] += 1
        return request

    def send(self, request, **members):
        members = {key: value for key, value in members.items() if value is not None}
        line = {"op": request.op, "id": request.number, **members}
        self.clients[request.client].send(json.dumps(line).encode())

    def execute(self, client, chosen=None, plain=False):
        chance = self.chance
        request = self.new("execute", client)
        request.input = chosen or chance.choice(self.inputs)
        request.code = request.input.code
        request.kind = "approval" if plain else chance.choice(KINDS)
        request.retry = not plain and chance.random() < 0.5
        if not plain and request.kind.startswith("backing") and chance.random() < 0.3:
            request.leaf = chance.choice(LEAVES)
        if not plain and chance.random() < 0.05:
            request.deadline_ms = chance.choice((1, 50, 1000, 20000))
        self.send(request, code={"path": request.code.path}, kind=request.kind, result=True,
                  retry=request.retry or None, timeout_ms=TIMEOUT_MS,
                  scheduling_leaf=request.leaf, deadline_ms=request.deadline_ms,
                  executor_params=None if plain else self.params(request.code),
                  **request.input.members)

    def params(self, code):
        """Seldom those that take another preparation, and never for code that takes seconds."""
        last = 1 if code.size < 400_000 else 0
        return self.chance.choices(corpus.PARAMS, (10, 2, last))[0]

    def precheck(self, client, code=None):
        request = self.new("precheck", client)
        request.code = code or self.chance.choice(self.codes)
        self.send(request, code={"path": request.code.path},
                  executor_params=None if code else self.params(request.code))

    def heads_up(self, client):
        request = self.new("heads_up", client)
        request.code = self.chance.choice(self.codes)
        self.send(request, code={"path": request.code.path})

    def cancel(self, client):
        targets = [r for r in self.live.values()
                   if r.client == client and r.op in ("execute", "precheck")]
        if targets:
            request = self.new("cancel", client)
            request.target = self.chance.choice(targets)
            request.target.cancels.append(request)
            self.send(request, target=request.target.number)

    def active_leaves(self, _client):
        """All of them from one client, so that their order is known."""
        request = self.new("active_leaves", 0)
        chosen = self.chance.sample(LEAVES, self.chance.randint(1, len(LEAVES)))
        # The one before is in force until this one is answered at the latest.
        self.leaves.append([request.sent, float("inf"), set(chosen)])
        self.send(request, hashes=chosen)

    def wrong(self, client):
        """A line that is at fault, and nothing else is."""
        request = self.new("wrong", client)
        line = self.chance.choice((
            {"op": "precheck"}, {"op": "execute", "code": {"hex": "00"}}, {"op": "frobnicate"},
            {"op": "execute", "code": {"path": "/not/there"}, "params": {"hex": "00"}}))
        self.clients[client].send(json.dumps({**line, "id": request.number}).encode())

    def statistics(self, client):
        self.send(self.new("stats", client))

    def fill(self):
        live = collections.Counter(r.client for r in self.live.values())
        for client, connection in enumerate(self.clients):
            while live[client] < self.depth and not connection.out:
                op = self.chance.choices(list(OPERATIONS), OPERATIONS.values())[0]
                before = self.number
                getattr(self, "statistics" if op == "stats" else op)(client)
                # Nothing to cancel: nothing was sent.
                live[client] += 1 if self.number > before else 0

    # -- In

    def take(self, service):
        for client, connection in enumerate(self.clients):
            answers = connection.answers()
            if answers:
                # What was given to workers before these answers is in the log by now.
                service.read_log()
            for answer in answers:
                self.one(client, answer)
            if connection.over:
                raise RuntimeError("the service has closed a connection")

    def one(self, client, answer):
        if answer["type"] == "ready":
            return
        request = self.live.pop(answer.get("id"), None)
        if request is None or request.client != client:
            self.fault(f"an answer that nobody asked for: {answer}")
            return
        wanted = "error" if request.op == "wrong" else request.op
        if answer["type"] != wanted:
            self.fault(f"a {request.op} was answered by {answer}")
            return
        request.answered = time.monotonic()
        request.answer = answer
        if "job" in answer:
            self.jobs[answer["job"]] = request
        self.counts[f"answered {request.op}"] += 1
        if request.op in ("execute", "precheck"):
            self.counts[f"{request.op}: {answer['verdict']}"] += 1
            self.judge(request, answer)
        elif request.op == "active_leaves":
            for span in self.leaves[:-1]:
                if span[0] < request.sent:
                    span[1] = min(span[1], request.answered)
        elif request.op == "stats":
            self.stats = answer

    def judge(self, request, answer):
        """What needs no explanation is settled here; the rest waits until all is known."""
        if any(c.answer and c.answer["found"] for c in request.cancels):
            if answer.get("reason") not in ("cancelled", "PVF_ERR_EOF"):
                self.fault(f"it was cancelled, and answered by {answer}")
        if answer["verdict"] == "valid":
            if request.op == "execute" and answer["result"] != request.input.expected:
                self.fault(f"wrong verdict on {request.input.name}: {answer}")
        elif not (request.op == "execute" and request.input.expected is None and
                  (answer["verdict"], answer["reason"]) == ("invalid", "reported invalid")):
            self.odd.append(request)
