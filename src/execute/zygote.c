/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the worker's zygotes, and the jobs that wait.  A zygote may be hijacked: what it makes is
 * taken for a job only if the kernel says that it is a living child of ours from its own namespace,
 * and once it has said that it is fenced; whatever else happens costs a little time and no verdict.
 */
#include "execute/zygote.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "execute/nursery.h"
#include "execute/zygote_wire.h"
#include "worker/worker_job_say.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* As many as the worker keeps artifacts. */
#define SLOTS 4

/* A job that takes longer to be made is of no use: a plain one takes some milliseconds. */
#define PATIENCE_NS UINT64_C(1000000000)

/* How long the end of a zygote is waited for, once nobody waits for an answer. */
#define END_PATIENCE_NS UINT64_C(2000000000)

/*
 * An artifact whose zygotes failed so often gets no further one, until they are forgotten: after so
 * many jobs without a further failure.
 */
#define FAILURES_MAX 3
#define FORGOTTEN_AFTER 500

/*
 * A request that comes sooner after the last answer found no time to make a job for it: it is one
 * of many, and the next job is made while its own runs, on another processor if there is one.  At
 * other times that would only slow it down.
 */
#define HURRY_NS UINT64_C(2000000)

/* Many thousands of jobs.  Who used more is replaced, before its backstop ends it. */
#define ZYGOTE_CPU_S 10

/* A job that waits, or is being made. */
struct waiting {
    bool ordered;
    int read_end; /* of its pipe */
    int input;    /* memory for its request */
    int announce; /* write end */
    int offer;    /* what the job reads from there, too: shows whether it did */
};

enum state {
    NONE,   /* no zygote */
    LIVING, /* also one that died by itself */
    ENDING, /* killed, not reaped yet */
    STUCK,  /* the same, and waited for in vain: asked again now and then */
};

struct slot {
    int ours; /* the two ends of a wire, made before the fence */
    int theirs;
    uint64_t artifact; /* 0: free */
    unsigned uses;
    unsigned failures;
    unsigned failed_at; /* in uses: the last one */
    enum state state;
    struct pvf__nursery nursery;
    struct waiting next;
    pid_t last; /* job that was taken; 0: none */
    pid_t last_but_one;
    uint64_t last_use;
    uint64_t answered_ns; /* when its last job was answered */
};

static struct {
    bool open;
    struct slot slots[SLOTS];
    uint64_t clock;
} self;

static void forget(struct waiting *waiting)
{
    if (waiting->ordered) {
        (void)close(waiting->read_end);
        (void)close(waiting->input);
        (void)close(waiting->announce);
        (void)close(waiting->offer);
        waiting->ordered = false;
    }
}

/*
 * Ends the slot's zygote, if any.  Afterwards its wire is empty, and nobody else has an end of it;
 * false: not yet, and until then the slot makes no further one.
 */
static bool end(struct slot *slot, bool waits)
{
    forget(&slot->next);
    if (slot->state == LIVING) {
        slot->state = ENDING;
    }
    if (slot->state != NONE) {
        bool is_patient = waits && slot->state == ENDING;
        uint64_t deadline = is_patient ? pvf__clock_monotonic_ns() + END_PATIENCE_NS : 0;
        if (!pvf__nursery_close(&slot->nursery, deadline)) {
            if (is_patient) {
                pvf__log(PVF__LOG_WARN, "a zygote was killed, and does not end");
                slot->state = STUCK;
            }
            return false;
        }
        slot->state = NONE;
    }
    pvf__zygote_wire_drain(slot->ours);
    pvf__zygote_wire_drain(slot->theirs);
    return true;
}

static bool release(struct slot *slot)
{
    slot->artifact = 0;
    slot->uses = 0;
    slot->failures = 0;
    slot->failed_at = 0;
    return end(slot, true);
}

static void count_failure(struct slot *slot)
{
    slot->failures++;
    slot->failed_at = slot->uses;
}

static void fail(struct slot *slot, const char *why, bool waits)
{
    count_failure(slot);
    pvf__log(PVF__LOG_DEBUG, "a job is made the plain way: %s", why);
    (void)end(slot, waits);
}

static struct slot *find(uint64_t artifact)
{
    for (size_t i = 0; self.open && i < SLOTS; i++) {
        if (self.slots[i].artifact == artifact) {
            return &self.slots[i];
        }
    }
    return NULL;
}

void pvf__zygotes_open(void)
{
    pvf_error err = PVF_ERROR_INIT;
    for (size_t i = 0; i < SLOTS; i++) {
        int ends[2];
        if (pvf__zygote_wire_open(ends, &err) != 0) {
            pvf__log(PVF__LOG_WARN, "jobs will be made the plain way: %s", err.text);
            return;
        }
        self.slots[i] = (struct slot){.ours = ends[0], .theirs = ends[1]};
    }
    self.open = true;
}

bool pvf__zygote_has(uint64_t artifact, uint64_t cpu_limit_us)
{
    const struct slot *slot = find(artifact);
    return slot != NULL && slot->next.ordered &&
           cpu_limit_us <= PVF__ZYGOTE_LIMIT_MAX_S * UINT64_C(1000000);
}

/*
 * Who said hello.  A zygote that was stopped is not waited for; one that is dead may have made its
 * job before.
 */
static int hear_hello(const struct slot *slot, uint64_t deadline, pid_t *ret, pvf_error *err)
{
    struct pollfd items[2] = {
        {.fd = slot->ours, .events = POLLIN},
        {.fd = slot->nursery.zygote_fd, .events = POLLIN},
    };
    if (poll(items, 2, 0) == 0) {
        if (!pvf__nursery_is_fit(slot->nursery.zygote_fd)) {
            return pvf__error_set(err, PVF_ERR_PEER, "the zygote is stopped");
        }
        int status = pvf__fd_poll_by(items, 2, deadline, err);
        if (status != 0) {
            return status;
        }
    }
    return pvf__zygote_wire_hear(slot->ours, ret, err);
}

static int check_fit(int pid_fd, pvf_error *err)
{
    if (!pvf__nursery_is_fit(pid_fd)) {
        return pvf__error_set(err, PVF_ERR_PEER, "the job is dead, stopped or no child of ours");
    }
    return 0;
}

/*
 * Numbers of the dead are not used again before we reap them.  Whoever was reaped before the order
 * has no hello in the wire (order), and of the zygote's own only the last two jobs can have been
 * reaped since: so any other number is that of who said hello.
 */
static int check_child(const struct slot *slot, pid_t pid, int *ret_pid_fd, pvf_error *err)
{
    if (pid == slot->nursery.guard || pid == slot->nursery.zygote) {
        return pvf__error_set(err, PVF_ERR_PEER, "the zygote claims to be a job");
    }
    if (pid == slot->last || pid == slot->last_but_one) {
        return pvf__error_set(err, PVF_ERR_PEER, "an earlier job claims to be the next");
    }
    PVF__CLEANUP_FD int pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pid_fd < 0) {
        return pvf__error_errno(err, PVF_ERR_PEER, errno, "pidfd_open");
    }
    int status = check_fit(pid_fd, err);
    if (status == 0) {
        *ret_pid_fd = PVF__TAKE_FD(pid_fd);
    }
    return status;
}

/*
 * Puts the input where the job waits for it.  Looks at the job again right before it is told, since
 * from then on its end is the candidate's doing.
 */
static int
hand_over(const struct waiting *next, int pid_fd, struct pvf__slice input, pvf_error *err)
{
    uint64_t len = input.len;
    struct pvf__zygote_offer offer = {.taken = 1};
    memcpy(offer.len, &len, sizeof(len));
    int status = pvf__fd_write(next->input, input.data, input.len, err);
    if (status == 0) {
        status = check_fit(pid_fd, err);
    }
    return status != 0 ? status : pvf__fd_write(next->announce, &offer, sizeof(offer), err);
}

static int
take(struct slot *slot, struct pvf__slice input, struct pvf__job_made *ret, pvf_error *err)
{
    uint64_t deadline = pvf__clock_monotonic_ns() + PATIENCE_NS;
    PVF__CLEANUP_FD int pid_fd = -1;
    pid_t pid = -1;
    int status = hear_hello(slot, deadline, &pid, err);
    if (status == 0) {
        status = check_child(slot, pid, &pid_fd, err);
    }
    /* Before it sees the candidate: a job that ends without a word is this machine's fault. */
    if (status == 0) {
        status = pvf__job_say_take_waiting(slot->next.read_end, deadline, err);
    }
    if (status == 0) {
        status = hand_over(&slot->next, pid_fd, input, err);
    }
    if (status != 0) {
        return status;
    }
    *ret = (struct pvf__job_made){.pid = pid,
                                  .pid_fd = PVF__TAKE_FD(pid_fd),
                                  .read_end = PVF__TAKE_FD(slot->next.read_end),
                                  .fenced = true,
                                  .offer_fd = PVF__TAKE_FD(slot->next.offer)};
    (void)close(slot->next.input);
    (void)close(slot->next.announce);
    slot->next.ordered = false;
    slot->last_but_one = slot->last;
    slot->last = pid;
    return 0;
}

/* Three descriptors of ours, three of the job's. */
static int make_files(struct waiting *next, int theirs[PVF__ZYGOTE_ORDER], pvf_error *err)
{
    int output[2];
    int announce[2];
    PVF__CLEANUP_FD int input = memfd_create("input", MFD_CLOEXEC);
    if (input < 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "memfd_create");
    }
    if (pipe2(output, O_CLOEXEC) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "pipe2");
    }
    if (pipe2(announce, O_CLOEXEC) != 0) {
        int why = errno;
        (void)close(output[0]);
        (void)close(output[1]);
        return pvf__error_errno(err, PVF_ERR_IO, why, "pipe2");
    }
    theirs[PVF__ZYGOTE_PIPE] = output[1];
    theirs[PVF__ZYGOTE_INPUT] = input;
    theirs[PVF__ZYGOTE_ANNOUNCE] = announce[0];
    *next = (struct waiting){.ordered = true,
                             .read_end = output[0],
                             .input = PVF__TAKE_FD(input),
                             .announce = announce[1],
                             .offer = announce[0]};
    return 0;
}

static int order(struct slot *slot, pvf_error *err)
{
    int theirs[PVF__ZYGOTE_ORDER] = {-1, -1, -1};
    if (!pvf__zygote_wire_is_quiet(slot->ours)) {
        return pvf__error_set(err, PVF_ERR_PEER, "a hello that nobody asked for");
    }
    int status = make_files(&slot->next, theirs, err);
    if (status == 0) {
        status = pvf__zygote_wire_order(slot->ours, theirs, err);
        (void)close(theirs[PVF__ZYGOTE_PIPE]);
    }
    return status;
}

/*
 * A free slot, or that of the artifact that was not needed for longest; NULL if there is none now.
 */
static struct slot *take_slot(uint64_t artifact)
{
    struct slot *best = NULL;
    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *slot = &self.slots[i];
        if (slot->state != NONE && slot->state != LIVING) {
            continue;
        }
        if (best == NULL ||
            (best->artifact != 0 && (slot->artifact == 0 || slot->last_use < best->last_use))) {
            best = slot;
        }
    }
    if (best == NULL || !release(best)) {
        return NULL;
    }
    best->artifact = artifact;
    return best;
}

static bool is_worn(const struct slot *slot)
{
    clockid_t clock;
    struct timespec used;
    return clock_getcpuclockid(slot->nursery.zygote, &clock) != 0 ||
           clock_gettime(clock, &used) != 0 || used.tv_sec >= ZYGOTE_CPU_S;
}

/*
 * Once a job has its candidate.  Whatever fails is left to pvf__zygote_prepare: to end the zygote
 * would end the job as well.
 */
static void order_early(struct slot *slot)
{
    pvf_error err = PVF_ERROR_INIT;
    bool hurry = pvf__clock_monotonic_ns() - slot->answered_ns < HURRY_NS;
    if (hurry && !is_worn(slot) && order(slot, &err) != 0) {
        pvf__log(PVF__LOG_DEBUG, "no job is made yet: %s", err.text);
        forget(&slot->next);
    }
}

int pvf__zygote_make(const struct pvf__job_spec *spec,
                     struct pvf__job_made *ret,
                     enum pvf__job_failure *ret_failure,
                     pvf_error *err)
{
    const struct pvf__zygote_maker *maker = spec->maker;
    struct slot *slot = find(maker->artifact);
    pvf_error why = PVF_ERROR_INIT;
    if (slot != NULL && slot->next.ordered) {
        if (take(slot, maker->input, ret, &why) == 0) {
            order_early(slot);
            return 0;
        }
        /* Who is waited for is the candidate. */
        fail(slot, why.text, false);
    }
    return pvf__job_make(spec, ret, ret_failure, err);
}

static int start(struct slot *slot, const struct pvf__zygote_spec *spec, pvf_error *err)
{
    struct pvf__zygote_spec own = *spec;
    own.wire = slot->theirs;
    const struct pvf__nursery_plan plan = {
        .sandbox = spec->sandbox,
        .files = {own.wire, own.artifact_fd},
        .be = pvf__zygote_be,
        .context = &own,
    };
    /* Whatever comes of it has to be ended. */
    slot->state = LIVING;
    slot->last = 0;
    slot->last_but_one = 0;
    return pvf__nursery_open(&slot->nursery, &plan, err);
}

void pvf__zygote_prepare(uint64_t artifact, const struct pvf__zygote_spec *spec)
{
    pvf_error err = PVF_ERROR_INIT;
    int status = 0;
    if (!self.open || !pvf__sandbox_has_zygotes(spec->sandbox)) {
        return;
    }
    struct slot *slot = find(artifact);
    if (slot == NULL) {
        slot = take_slot(artifact);
    }
    if (slot == NULL) {
        return;
    }
    slot->last_use = ++self.clock;
    slot->answered_ns = pvf__clock_monotonic_ns();
    /* Most artifacts of a worker that serves many are used once before they make room. */
    slot->uses++;
    if (slot->uses - slot->failed_at >= FORGOTTEN_AFTER) {
        slot->failures = 0;
    }
    if (slot->uses < 2 || slot->failures >= FAILURES_MAX || slot->next.ordered) {
        return;
    }
    if (slot->state == LIVING && is_worn(slot)) {
        (void)end(slot, true);
    }
    if (slot->state == NONE) {
        status = start(slot, spec, &err);
    } else if (slot->state != LIVING) {
        return;
    }
    if (status == 0) {
        status = order(slot, &err);
    }
    if (status != 0) {
        fail(slot, err.text, true);
    }
}

void pvf__zygote_end(uint64_t artifact, bool was_no_good)
{
    struct slot *slot = find(artifact);
    if (slot != NULL) {
        if (was_no_good) {
            count_failure(slot);
        }
        (void)end(slot, true);
    }
}

void pvf__zygotes_prune(bool (*lives)(uint64_t artifact))
{
    for (size_t i = 0; self.open && i < SLOTS; i++) {
        struct slot *slot = &self.slots[i];
        if (slot->artifact != 0 && (lives == NULL || !lives(slot->artifact))) {
            (void)release(slot);
        } else if (slot->state == ENDING || slot->state == STUCK) {
            (void)end(slot, true);
        }
    }
}
