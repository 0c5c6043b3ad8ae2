# SPDX-License-Identifier: Apache-2.0
"""Which answers the faults explain.  The rule, for what is not the right verdict:

  always      an invalid candidate is never valid, and a valid result is right byte for byte.
  hit         an attempt is hit when its worker, or the job below it, was killed or stopped while it
              had it.  A death or a stalled job needs a hit attempt of this very request; so does
              a job that ended before it was fenced, which is no verdict.
  twice       "invalid" for a valid candidate needs two: `retry`, approval or dispute, and either
              two hits, or a hit and a damaged artifact of its code, or two of those.
  damaged     a corrupted artifact needs a fault that changed a file of this code.
  preparation no verdict for want of an artifact needs a preparation of this code that was hit, or a
              full disk; never is it the code's fault.
  disk        a worker that cannot start, or an artifact that cannot be linked, needs a full disk
              while the request lived (or, for a link, a damaged file).
  test        a failed self-test needs a hit attempt of a job that nobody asked for, or a full disk.
  asked for   expired and cancelled need what the client had asked for.

Everything else is a fault of the service: reasons that no fault here can cause, such as a time
limit or an error of the job, are never right."""

# The log is read after the fact, but soon.
SLACK = 1.0


class Judge:
    def __init__(self, load, attempts, faults):
        self.load = load
        self.hits = [f for f in faults if f.pid is not None]
        self.damages = [f for f in faults if f.code is not None]
        self.full = [f for f in faults if f.what == "full disk"]
        self.by_job = {}
        for attempt in attempts:
            self.by_job.setdefault(attempt.job, []).append(attempt)

    # -- What was broken

    def is_hit(self, attempt, answered=float("inf")):
        end = min(attempt.end, answered)
        return any(f.pid == attempt.pid and f.end >= attempt.begin - SLACK and f.begin <= end
                   for f in self.hits)

    def count_hits(self, request):
        return sum(attempt.kind == "execute" and self.is_hit(attempt, request.answered)
                   for attempt in self.by_job.get(request.answer.get("job"), ()))

    def count_damages(self, request):
        return sum(f.code == request.code.hash and f.begin <= request.answered
                   for f in self.damages)

    def was_full(self, begin, end):
        return any(f.begin <= end and f.end >= begin for f in self.full)

    def preparation_hit(self, request):
        """Of this code; or of a job that nobody knows, which a heads-up has."""
        for job, attempts in self.by_job.items():
            asked = self.load.jobs.get(job)
            if asked is None or asked.code is request.code:
                if any(a.kind == "prepare" and a.begin - SLACK <= request.answered and
                       self.is_hit(a) for a in attempts):
                    return True
        # Failures are remembered; so the disk may have been full before.
        return self.was_full(0, request.answered)

    def test_hit(self, request):
        for job, attempts in self.by_job.items():
            if job not in self.load.jobs and any(
                    a.begin - SLACK <= request.answered and self.is_hit(a) for a in attempts):
                return True
        return self.was_full(request.sent, request.answered)

    # -- What follows

    def execution(self, request):
        """Why this answer is none of the right ones; or nothing."""
        answer = request.answer
        verdict, reason = answer["verdict"], answer["reason"]
        hits, damages = self.count_hits(request), self.count_damages(request)
        votes = request.retry and not request.kind.startswith("backing")
        if verdict == "invalid" and request.input.expected is not None and (
                not votes or hits + damages < 2):
            return f"a valid candidate is invalid after {hits} hits and {damages} damages"
        if verdict == "possibly invalid" and request.retry:
            return "retries leave no doubt behind"
        good = {
            "worker death": hits > 0, "job death": hits > 0, "stalled": hits > 0,
            "host communication": hits > 0,
            "kernel": verdict == "internal" and hits > 0,
            "corrupted artifact": damages > 0,
            "artifact link": damages > 0 or self.was_full(request.sent, request.answered),
            "artifact file": damages > 0,
            "preparation": verdict == "internal" and self.preparation_hit(request),
            "worker start": self.was_full(request.sent, request.answered),
            "self-test": verdict == "internal" and self.test_hit(request),
            "expired": verdict == "expired" and self.may_expire(request),
            "cancelled": verdict == "internal" and bool(request.cancels),
        }
        if good.get(reason):
            return None
        return f"no fault explains it ({hits} hits, {damages} damages)"

    def precheck(self, request):
        verdict, reason = request.answer["verdict"], request.answer["reason"]
        if verdict == "invalid":
            return "good code is refused"
        if reason == "PVF_ERR_EOF":
            return None if request.cancels else "nobody cancelled it"
        return None if self.preparation_hit(request) else "no fault explains it"

    def may_expire(self, request):
        lived_ms = (request.answered - request.sent) * 1000
        if request.deadline_ms is not None and lived_ms >= request.deadline_ms:
            return True
        return request.leaf is not None and any(
            begin <= request.answered and end >= request.sent and request.leaf not in leaves
            for begin, end, leaves in self.load.leaves)

    def all(self):
        """Of the odd answers, those that nothing explains."""
        for request in self.load.odd:
            why = (self.execution if request.op == "execute" else self.precheck)(request)
            if why is not None:
                name = request.input.name if request.input else request.code.path
                yield (f"{request.op} {request.number} of {name} ({request.kind or 'precheck'}"
                       f"{', retry' if request.retry else ''}): {why}: {request.answer}")
