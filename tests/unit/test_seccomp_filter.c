/* SPDX-License-Identifier: Apache-2.0 */
/* The filters of all roles and both architectures, asked in a simulator. */
#include "support/test.h"

#include "pvf/status.h"
#include "sandbox/seccomp_filter.h"
#include "support/bpf_sim.h"

#include <errno.h>
#include <linux/audit.h>
#include <string.h>

#define PIPE_FD 7
#define INPUT_FD 9
#define SELF 4242
#define HIGH (UINT64_C(1) << 32)

#define KILL SECCOMP_RET_KILL_PROCESS
#define ALLOW SECCOMP_RET_ALLOW
#define ANSWER(number) (SECCOMP_RET_ERRNO | (uint32_t)(number))

#define PW PVF__SECCOMP_PREPARE_WORKER
#define EW PVF__SECCOMP_EXECUTE_WORKER
#define PJ PVF__SECCOMP_PREPARE_JOB
#define EJ PVF__SECCOMP_EXECUTE_JOB
#define EZ PVF__SECCOMP_EXECUTE_ZYGOTE

static const struct pvf__seccomp_facts facts = {
    .pipe_fd = PIPE_FD, .input_fd = INPUT_FD, .self = SELF};

static const uint32_t audit_arch[PVF__SECCOMP_ARCHES] = {AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64};

static struct {
    struct sock_filter code[PVF__SECCOMP_FILTER_MAX];
    size_t count;
} filters[PVF__SECCOMP_ROLES][PVF__SECCOMP_ARCHES];

static int build_all(void **state)
{
    (void)state;
    for (unsigned role = 0; role < PVF__SECCOMP_ROLES; role++) {
        for (unsigned arch = 0; arch < PVF__SECCOMP_ARCHES; arch++) {
            if (pvf__seccomp_build((enum pvf__seccomp_role)role,
                                   (enum pvf__seccomp_arch)arch,
                                   &facts,
                                   filters[role][arch].code,
                                   PVF__SECCOMP_FILTER_MAX,
                                   &filters[role][arch].count,
                                   NULL) != 0) {
                return -1;
            }
        }
    }
    return 0;
}

static uint32_t ask_data(unsigned role, unsigned arch, const struct seccomp_data *data)
{
    return bpf_sim_run(filters[role][arch].code, filters[role][arch].count, data);
}

static uint32_t ask(unsigned role, unsigned arch, uint32_t number, const uint64_t args[6])
{
    struct seccomp_data data = {.nr = (int)number, .arch = audit_arch[arch]};
    memcpy(data.args, args, sizeof(data.args));
    return ask_data(role, arch, &data);
}

static const struct pvf__seccomp_call *call_of(unsigned arch, uint32_t number)
{
    for (size_t i = 0; i < pvf__seccomp_calls_count; i++) {
        int32_t listed = pvf__seccomp_calls[i].number[arch];
        if (listed != PVF__SECCOMP_ABSENT && (uint32_t)listed == number) {
            return &pvf__seccomp_calls[i];
        }
    }
    return NULL;
}

static uint32_t number_of(const char *name, unsigned arch)
{
    for (size_t i = 0; i < pvf__seccomp_calls_count; i++) {
        if (strcmp(pvf__seccomp_calls[i].name, name) == 0) {
            return (uint32_t)pvf__seccomp_calls[i].number[arch];
        }
    }
    fail_msg("%s is in no list", name);
    return 0;
}

static void the_lists_are_sorted_and_without_doubles(void **state)
{
    (void)state;
    bool used[PVF__SECCOMP_RULES] = {false};
    for (size_t i = 0; i < pvf__seccomp_calls_count; i++) {
        const struct pvf__seccomp_call *call = &pvf__seccomp_calls[i];
        assert_true(i == 0 || strcmp(pvf__seccomp_calls[i - 1].name, call->name) < 0);
        assert_true(call->number[PVF__SECCOMP_X86_64] >= 0);
        for (unsigned arch = 0; arch < PVF__SECCOMP_ARCHES; arch++) {
            if (call->number[arch] != PVF__SECCOMP_ABSENT) {
                assert_in_range(call->number[arch], 0, 1023);
                assert_ptr_equal(call_of(arch, (uint32_t)call->number[arch]), call);
            }
        }
        bool listed = false;
        for (unsigned role = 0; role < PVF__SECCOMP_ROLES; role++) {
            used[call->rule[role]] = true;
            listed = listed || call->rule[role] != PVF__SECCOMP_NO;
        }
        assert_true(listed);
    }
    for (size_t rule = 0; rule < PVF__SECCOMP_RULES; rule++) {
        assert_true(used[rule]);
        assert_int_not_equal(pvf__seccomp_meaning((enum pvf__seccomp_rule)rule)->action, 0);
        assert_int_not_equal(pvf__seccomp_meaning((enum pvf__seccomp_rule)rule)->otherwise, 0);
    }
}

static bool has_value(const struct pvf__seccomp_demand *demand, uint32_t value)
{
    for (size_t i = 0; i < demand->count; i++) {
        if (demand->values[i] == value) {
            return true;
        }
    }
    return false;
}

/* Whether what meets `narrow` meets `wide`. */
static bool implies(const struct pvf__seccomp_demand *narrow,
                    const struct pvf__seccomp_demand *wide)
{
    if (narrow->test != PVF__SECCOMP_ONE_OF || wide->test != PVF__SECCOMP_ONE_OF ||
        narrow->arg != wide->arg) {
        return false;
    }
    for (size_t i = 0; i < narrow->count; i++) {
        if (!has_value(wide, narrow->values[i])) {
            return false;
        }
    }
    return true;
}

/* Whether everything that `inner` lets through or answers also passes `outer`. */
static bool covers(enum pvf__seccomp_rule outer, enum pvf__seccomp_rule inner)
{
    if (inner == PVF__SECCOMP_NO || outer == inner) {
        return true;
    }
    const struct pvf__seccomp_meaning *wide = pvf__seccomp_meaning(outer);
    const struct pvf__seccomp_meaning *narrow = pvf__seccomp_meaning(inner);
    bool covered = wide->action == SECCOMP_RET_ALLOW;
    for (size_t i = 0; i < PVF__SECCOMP_DEMANDS; i++) {
        covered = covered && (wide->demands[i].test == PVF__SECCOMP_ALWAYS ||
                              implies(&narrow->demands[0], &wide->demands[i]) ||
                              implies(&narrow->demands[1], &wide->demands[i]));
    }
    return covered;
}

static void a_worker_lets_through_what_its_jobs_need(void **state)
{
    (void)state;
    for (size_t i = 0; i < pvf__seccomp_calls_count; i++) {
        const enum pvf__seccomp_rule *rule = pvf__seccomp_calls[i].rule;
        if (!covers(rule[PW], rule[PJ]) || !covers(rule[EW], rule[EJ]) ||
            !covers(rule[EW], rule[EZ]) || !covers(rule[EZ], rule[EJ])) {
            fail_msg("%s: a job may, its maker may not", pvf__seccomp_calls[i].name);
        }
    }
}

static void the_programs_are_valid(void **state)
{
    (void)state;
    for (unsigned role = 0; role < PVF__SECCOMP_ROLES; role++) {
        for (unsigned arch = 0; arch < PVF__SECCOMP_ARCHES; arch++) {
            size_t fault = 0;
            if (!bpf_sim_is_valid(filters[role][arch].code, filters[role][arch].count, &fault)) {
                fail_msg("role %u, architecture %u, instruction %zu", role, arch, fault);
            }
        }
    }
}

static void the_size_limit_is_kept(void **state)
{
    (void)state;
    struct sock_filter code[PVF__SECCOMP_FILTER_MAX];
    size_t need = filters[EW][PVF__SECCOMP_X86_64].count;
    size_t count = 12345;
    pvf_error err = PVF_ERROR_INIT;
    assert_int_equal(pvf__seccomp_build(EW, PVF__SECCOMP_X86_64, NULL, code, need, &count, &err),
                     0);
    assert_int_equal(count, need);
    memset(code, 0x5a, sizeof(code));
    count = 12345;
    assert_int_equal(
        pvf__seccomp_build(EW, PVF__SECCOMP_X86_64, NULL, code, need - 1, &count, &err),
        PVF_ERR_LIMIT);
    assert_int_equal(count, 12345);
    assert_int_equal(code[need - 1].code, 0x5a5a);
}

static void a_job_must_be_known(void **state)
{
    (void)state;
    const struct pvf__seccomp_facts wrong[] = {
        {.pipe_fd = -1, .self = SELF},
        {.pipe_fd = PIPE_FD, .self = 0},
        {.pipe_fd = PIPE_FD, .self = -1},
    };
    struct sock_filter code[PVF__SECCOMP_FILTER_MAX];
    size_t count;
    for (unsigned role = PJ; role <= EJ; role++) {
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
            assert_int_equal(pvf__seccomp_build((enum pvf__seccomp_role)role,
                                                PVF__SECCOMP_X86_64,
                                                &wrong[i],
                                                code,
                                                PVF__SECCOMP_FILTER_MAX,
                                                &count,
                                                NULL),
                             PVF_ERR_INVALID_ARG);
        }
        assert_int_equal(pvf__seccomp_build((enum pvf__seccomp_role)role,
                                            PVF__SECCOMP_X86_64,
                                            NULL,
                                            code,
                                            PVF__SECCOMP_FILTER_MAX,
                                            &count,
                                            NULL),
                         PVF_ERR_INVALID_ARG);
    }
}

static void a_foreign_architecture_is_death(void **state)
{
    (void)state;
    const uint32_t foreign[] = {
        0, AUDIT_ARCH_I386, AUDIT_ARCH_ARM, AUDIT_ARCH_RISCV64, AUDIT_ARCH_X86_64 ^ 1u};
    for (unsigned role = 0; role < PVF__SECCOMP_ROLES; role++) {
        for (unsigned arch = 0; arch < PVF__SECCOMP_ARCHES; arch++) {
            struct seccomp_data data = {.nr = (int)number_of("exit_group", arch),
                                        .arch = audit_arch[arch]};
            assert_int_equal(ask_data(role, arch, &data), ALLOW);
            data.arch = audit_arch[1 - arch];
            assert_int_equal(ask_data(role, arch, &data), KILL);
            for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
                data.arch = foreign[i];
                assert_int_equal(ask_data(role, arch, &data), KILL);
            }
        }
    }
}

static void x32_is_death(void **state)
{
    (void)state;
    const uint64_t args[6] = {1};
    for (unsigned role = 0; role < PVF__SECCOMP_ROLES; role++) {
        for (uint32_t number = 0; number < 1024; number++) {
            assert_int_equal(ask(role, PVF__SECCOMP_X86_64, 0x40000000u | number, args), KILL);
        }
    }
}

static void numbers_at_the_edges_are_death(void **state)
{
    (void)state;
    const uint32_t numbers[] = {
        447, 462, 1023, 1024, 0x3fffffff, 0x40000000, 0x7fffffff, 0x80000000, 0xffffffff};
    const uint64_t args[6] = {0};
    for (unsigned role = 0; role < PVF__SECCOMP_ROLES; role++) {
        for (unsigned arch = 0; arch < PVF__SECCOMP_ARCHES; arch++) {
            for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
                assert_int_equal(ask(role, arch, numbers[i], args), KILL);
            }
        }
    }
}

/* One demand, in plain words. */
static bool is_met(const struct pvf__seccomp_demand *demand, const uint64_t args[6])
{
    uint64_t arg = args[demand->arg];
    switch (demand->test) {
    case PVF__SECCOMP_ALWAYS:
        return true;
    case PVF__SECCOMP_ONE_OF:
        for (size_t i = 0; i < demand->count; i++) {
            if (arg == demand->values[i]) {
                return true;
            }
        }
        return false;
    case PVF__SECCOMP_WITHIN:
        return (arg & ~(uint64_t)demand->values[0]) == 0;
    case PVF__SECCOMP_NOT_ALL:
        return arg <= UINT32_MAX && (arg & demand->values[0]) != demand->values[0];
    case PVF__SECCOMP_IS_FD:
        return arg == 1 || arg == 2 || arg == PIPE_FD;
    case PVF__SECCOMP_IS_INPUT:
        return arg == INPUT_FD;
    case PVF__SECCOMP_IS_SELF:
        return arg == SELF;
    default:
        fail_msg("no such test");
        return false;
    }
}

static uint32_t policy_says(unsigned role, unsigned arch, uint32_t number, const uint64_t args[6])
{
    const struct pvf__seccomp_call *call = call_of(arch, number);
    if (call == NULL) {
        return KILL;
    }
    const struct pvf__seccomp_meaning *meaning = pvf__seccomp_meaning(call->rule[role]);
    for (size_t i = 0; i < PVF__SECCOMP_DEMANDS; i++) {
        if (!is_met(&meaning->demands[i], args)) {
            return meaning->otherwise;
        }
    }
    return meaning->action;
}

/* Every number, with every value that some rule knows, its neighbours, and high bits. */
static void the_programs_say_what_the_policy_says(void **state)
{
    (void)state;
    uint64_t values[256] = {0, 1, 2, 3, PIPE_FD, INPUT_FD, SELF, UINT64_MAX};
    size_t count = 8;
    for (size_t rule = 0; rule < PVF__SECCOMP_RULES; rule++) {
        const struct pvf__seccomp_meaning *meaning =
            pvf__seccomp_meaning((enum pvf__seccomp_rule)rule);
        for (size_t i = 0; i < PVF__SECCOMP_DEMANDS; i++) {
            for (size_t k = 0; k < meaning->demands[i].count; k++) {
                assert_true(count + 2 <= sizeof(values) / sizeof(values[0]));
                values[count++] = meaning->demands[i].values[k];
                values[count++] = meaning->demands[i].values[k] + UINT64_C(1);
            }
        }
    }
    for (unsigned role = 0; role < PVF__SECCOMP_ROLES; role++) {
        for (unsigned arch = 0; arch < PVF__SECCOMP_ARCHES; arch++) {
            for (uint32_t number = 0; number < 512; number++) {
                for (size_t i = 0; i < count; i++) {
                    uint64_t v = values[i];
                    const uint64_t all[][6] = {
                        {v, v, v, v, v, v},
                        {v, 0, 0, 0, 0, 0},
                        {0, v, v, v, v, v},
                        {v | HIGH, v, v, v, v, v},
                        {v, v | HIGH, v | HIGH, v | HIGH, v, v},
                        {v, v, v | (HIGH << 31), v, v, v},
                        {1, v, 0, v, 0, 0},
                    };
                    for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++) {
                        assert_int_equal(ask(role, arch, number, all[k]),
                                         policy_says(role, arch, number, all[k]));
                    }
                }
            }
        }
    }
}

/*
 * By hand, since a policy must not be its own witness: what no role may ever do, whatever the
 * arguments.  x86-64, aarch64 (-1: it has no such call).
 */
static const struct {
    const char *name;
    int number[PVF__SECCOMP_ARCHES];
} dangerous[] = {
    {"socket", {41, 198}},
    {"connect", {42, 203}},
    {"accept", {43, 202}},
    {"accept4", {288, 242}},
    {"bind", {49, 200}},
    {"listen", {50, 201}},
    {"socketpair", {53, 199}},
    {"sendmmsg", {307, 269}},
    {"setsockopt", {54, 208}},
    {"fork", {57, -1}},
    {"vfork", {58, -1}},
    {"execve", {59, 221}},
    {"execveat", {322, 281}},
    {"ptrace", {101, 117}},
    {"process_vm_readv", {310, 270}},
    {"process_vm_writev", {311, 271}},
    {"process_madvise", {440, 440}},
    {"pidfd_getfd", {438, 438}},
    {"kcmp", {312, 272}},
    {"tkill", {200, 130}},
    {"rt_sigqueueinfo", {129, 138}},
    {"rt_tgsigqueueinfo", {297, 240}},
    {"mount", {165, 40}},
    {"umount2", {166, 39}},
    {"pivot_root", {155, 41}},
    {"chroot", {161, 51}},
    {"chdir", {80, 49}},
    {"fchdir", {81, 50}},
    {"open_tree", {428, 428}},
    {"move_mount", {429, 429}},
    {"fsopen", {430, 430}},
    {"fsmount", {432, 432}},
    {"mount_setattr", {442, 442}},
    {"setns", {308, 268}},
    {"io_uring_setup", {425, 425}},
    {"io_uring_enter", {426, 426}},
    {"io_uring_register", {427, 427}},
    {"io_setup", {206, 0}},
    {"bpf", {321, 280}},
    {"perf_event_open", {298, 241}},
    {"userfaultfd", {323, 282}},
    {"add_key", {248, 217}},
    {"request_key", {249, 218}},
    {"keyctl", {250, 219}},
    {"open_by_handle_at", {304, 265}},
    {"name_to_handle_at", {303, 264}},
    {"open", {2, -1}},
    {"creat", {85, -1}},
    {"openat2", {437, 437}},
    {"unlink", {87, -1}},
    {"unlinkat", {263, 35}},
    {"rename", {82, -1}},
    {"renameat2", {316, 276}},
    {"link", {86, -1}},
    {"linkat", {265, 37}},
    {"symlinkat", {266, 36}},
    {"mkdirat", {258, 34}},
    {"mknodat", {259, 33}},
    {"chmod", {90, -1}},
    {"fchmodat", {268, 53}},
    {"fchownat", {260, 54}},
    {"setxattr", {188, 5}},
    {"init_module", {175, 105}},
    {"finit_module", {313, 273}},
    {"kexec_load", {246, 104}},
    {"kexec_file_load", {320, 294}},
    {"reboot", {169, 142}},
    {"swapon", {167, 224}},
    {"syslog", {103, 116}},
    {"quotactl", {179, 60}},
    {"acct", {163, 89}},
    {"settimeofday", {164, 170}},
    {"clock_settime", {227, 112}},
    {"adjtimex", {159, 171}},
    {"setuid", {105, 146}},
    {"setgid", {106, 144}},
    {"setresuid", {117, 147}},
    {"setgroups", {116, 159}},
    {"personality", {135, 92}},
    {"modify_ldt", {154, -1}},
    {"arch_prctl", {158, -1}},
    {"iopl", {172, -1}},
    {"ioperm", {173, -1}},
    {"pkey_mprotect", {329, 288}},
    {"remap_file_pages", {216, 234}},
    {"shmget", {29, 194}},
    {"shmat", {30, 196}},
    {"msgget", {68, 186}},
    {"semget", {64, 190}},
    {"mq_open", {240, 180}},
    {"inotify_init1", {294, 26}},
    {"fanotify_init", {300, 262}},
    {"timer_create", {222, 107}},
    {"sched_setscheduler", {144, 119}},
    {"sched_setaffinity", {203, 122}},
    {"setpriority", {141, 140}},
    {"migrate_pages", {256, 238}},
    {"mbind", {237, 235}},
    {"splice", {275, 76}},
    {"vmsplice", {278, 75}},
    {"tee", {276, 77}},
    {"pwrite64", {18, 68}},
    {"ftruncate", {77, 46}},
    {"fallocate", {285, 47}},
    {"memfd_secret", {447, 447}},
};

static void the_dangerous_calls_are_death_everywhere(void **state)
{
    (void)state;
    const uint64_t args[][6] = {{0}, {1, 1, 1, 1, 1, 1}, {SELF, SELF, 0, 0, 0, 0}};
    for (size_t i = 0; i < sizeof(dangerous) / sizeof(dangerous[0]); i++) {
        for (unsigned arch = 0; arch < PVF__SECCOMP_ARCHES; arch++) {
            for (unsigned role = 0; dangerous[i].number[arch] >= 0 && role < PVF__SECCOMP_ROLES;
                 role++) {
                for (size_t k = 0; k < sizeof(args) / sizeof(args[0]); k++) {
                    uint32_t says = ask(role, arch, (uint32_t)dangerous[i].number[arch], args[k]);
                    if (says != KILL) {
                        fail_msg("%s: role %u, architecture %u: %#x",
                                 dangerous[i].name,
                                 role,
                                 arch,
                                 (unsigned)says);
                    }
                }
            }
        }
    }
}

/* Who may get descriptors, or send them, or watch what it did not make: a bit for each. */
static void few_may_pass_descriptors(void **state)
{
    (void)state;
    const struct {
        const char *name;
        unsigned roles;
    } rows[] = {
        {"sendmsg", 1u << EW},
        {"recvmsg", 1u << PW | 1u << EW | 1u << EZ},
        {"pidfd_open", 1u << EW},
    };
    const uint64_t args[6] = {0};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (unsigned arch = 0; arch < PVF__SECCOMP_ARCHES; arch++) {
            for (unsigned role = 0; role < PVF__SECCOMP_ROLES; role++) {
                uint32_t want = (rows[i].roles >> role & 1u) != 0 ? ALLOW : KILL;
                assert_int_equal(ask(role, arch, number_of(rows[i].name, arch), args), want);
            }
        }
    }
}

/* What a worker may and a job may not. */
static void jobs_may_less_than_workers(void **state)
{
    (void)state;
    const char *const names[] = {"read",
                                 "close_range",
                                 "dup3",
                                 "pipe2",
                                 "wait4",
                                 "waitid",
                                 "pidfd_send_signal",
                                 "capset",
                                 "landlock_restrict_self",
                                 "setpgid"};
    const uint64_t args[6] = {0};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        for (unsigned arch = 0; arch < PVF__SECCOMP_ARCHES; arch++) {
            uint32_t number = number_of(names[i], arch);
            assert_int_equal(ask(PW, arch, number, args), ALLOW);
            assert_int_equal(ask(EW, arch, number, args), ALLOW);
            assert_int_equal(ask(PJ, arch, number, args), KILL);
            assert_int_equal(ask(EJ, arch, number, args), KILL);
        }
    }
    for (unsigned arch = 0; arch < PVF__SECCOMP_ARCHES; arch++) {
        assert_int_equal(ask(PW, arch, number_of("memfd_create", arch), args), KILL);
        assert_int_equal(ask(EW, arch, number_of("memfd_create", arch), args), ALLOW);
        assert_int_equal(ask(PJ, arch, number_of("memfd_create", arch), args), KILL);
        assert_int_equal(ask(EJ, arch, number_of("memfd_create", arch), args), KILL);
    }
}

/* Arguments, in numbers and not in the policy's own constants. */
static const struct {
    const char *name;
    uint64_t args[6];
    uint32_t want;
} job_rows[] = {
    {"write", {1}, ALLOW},
    {"write", {2}, ALLOW},
    {"write", {PIPE_FD}, ALLOW},
    {"write", {0}, KILL},
    {"write", {3}, KILL},
    {"write", {PIPE_FD - 1}, KILL},
    {"write", {PIPE_FD + 1}, KILL},
    {"write", {PIPE_FD | HIGH}, KILL},
    {"write", {UINT64_MAX}, KILL},
    {"writev", {2}, ALLOW},
    {"writev", {3}, KILL},
    {"tgkill", {SELF, 1, 6}, ALLOW},
    {"tgkill", {SELF + 1, SELF, 6}, KILL},
    {"tgkill", {1, SELF, 6}, KILL},
    {"tgkill", {SELF | HIGH, SELF, 6}, KILL},
    {"tgkill", {SELF, SELF, 9}, KILL},
    {"tgkill", {SELF, SELF, 6 | HIGH}, KILL},
    {"clone", {0x3d0f00}, ALLOW},
    {"clone", {0x3d0f00 | HIGH}, KILL},
    {"clone", {17}, KILL},                    /* fork(): SIGCHLD */
    {"clone", {0x4111}, KILL},                /* vfork() and posix_spawn() */
    {"clone", {0x3d0f00 & ~0x10000u}, KILL},  /* no thread */
    {"clone", {0x3d0f00 | 0x10000000}, KILL}, /* a user namespace */
    {"clone", {0x3d0f00 | 0x8000}, KILL},     /* a sibling of its parent */
    {"clone3", {1, 88}, ANSWER(ENOSYS)},
    {"mmap", {0, 4096, 0, 0x22}, ALLOW},
    {"mmap", {0, 4096, 3, 0x22}, ALLOW},
    {"mmap", {0, 4096, 4, 0x22}, KILL},
    {"mmap", {0, 4096, 5, 0x22}, KILL},
    {"mmap", {0, 4096, 7, 0x22}, KILL},
    {"mmap", {0, 4096, 3 | HIGH, 0x22}, KILL},
    {"mmap", {0, 4096, 0x01000003, 0x22}, KILL}, /* grows down */
    {"mprotect", {0, 4096, 0}, ALLOW},
    {"mprotect", {0, 4096, 1}, ALLOW},
    {"mprotect", {0, 4096, 3}, ALLOW},
    {"mprotect", {0, 4096, 5}, ALLOW},
    {"mprotect", {0, 4096, 0x15}, ALLOW},
    {"mprotect", {0, 4096, 6}, KILL},
    {"mprotect", {0, 4096, 7}, KILL},
    {"mprotect", {0, 4096, 0x17}, KILL},
    {"mprotect", {0, 4096, 8}, KILL},
    {"mprotect", {0, 4096, 5 | HIGH}, KILL},
    {"mprotect", {0, 4096, 0x02000001}, KILL},
    {"prctl", {15}, ALLOW}, /* a thread's name */
    {"prctl", {0x53564d41}, ALLOW},
    {"prctl", {4}, KILL},  /* dumpable */
    {"prctl", {1}, KILL},  /* signal at the parent's death */
    {"prctl", {22}, KILL}, /* seccomp */
    {"prctl", {35}, KILL}, /* PR_SET_MM */
    {"prctl", {15 | HIGH}, KILL},
    {"prlimit64", {0, 3, 0, 1}, ALLOW},
    {"prlimit64", {0, 3, 1, 0}, KILL},
    {"prlimit64", {0, 3, HIGH, 0}, KILL},
    {"prlimit64", {1, 3, 0, 1}, KILL},
    {"fcntl", {5, 1}, ALLOW},
    {"fcntl", {5, 3}, ALLOW},
    {"fcntl", {5, 1030, 3}, ALLOW},
    {"fcntl", {5, 4}, KILL},    /* F_SETFL */
    {"fcntl", {5, 8}, KILL},    /* F_SETOWN: signals to others */
    {"fcntl", {5, 1033}, KILL}, /* F_ADD_SEALS */
    {"futex", {0, 0x80}, ALLOW},
    {"futex", {0, 0x81}, ALLOW},
    {"futex", {0, 0x109}, ALLOW},
    {"futex", {0, 0x189}, ALLOW},
    {"futex", {0, 6}, KILL},    /* LOCK_PI */
    {"futex", {0, 0x86}, KILL}, /* LOCK_PI_PRIVATE */
    {"futex", {0, 11}, KILL},   /* WAIT_REQUEUE_PI */
    {"futex", {0, 12}, KILL},   /* CMP_REQUEUE_PI */
    {"madvise", {0, 4096, 4}, ALLOW},
    {"madvise", {0, 4096, 12}, KILL},  /* MERGEABLE: a side channel */
    {"madvise", {0, 4096, 23}, ALLOW}, /* POPULATE_WRITE: what a write to each page does */
    {"madvise", {0, 4096, 22}, KILL},
    {"madvise", {0, 4096, 25}, KILL},  /* COLLAPSE */
    {"madvise", {0, 4096, 100}, KILL}, /* HWPOISON */
    {"membarrier", {32}, ALLOW},
    {"membarrier", {1}, KILL}, /* GLOBAL: slow for everybody */
    {"newfstatat", {3, 1, 1, 0x1000}, ALLOW},
    {"newfstatat", {3, 1, 1, 0}, ANSWER(ENOENT)},
    {"newfstatat", {3, 1, 1, 0x1000 | HIGH}, ANSWER(ENOENT)},
    {"statx", {3, 1, 0x1000, 0xfff}, ALLOW},
    {"statx", {3, 1, 0, 0xfff}, ANSWER(ENOENT)},
    {"openat", {0}, ANSWER(ENOENT)},
    {"readlinkat", {0}, ANSWER(ENOENT)},
    {"sendto", {PIPE_FD}, ANSWER(ENOTSOCK)},
    {"ioctl", {2, 0x5401}, ANSWER(ENOTTY)},
    {"ioctl", {0, 0x5412}, ANSWER(ENOTTY)},
    {"seccomp", {1, 0}, KILL},
    {"kill", {SELF, 9}, KILL},
    {"kill", {SELF, 0}, KILL},
};

/* Only one of them waits for its input. */
static void an_execute_job_reads_where_its_input_comes(void **state)
{
    (void)state;
    const uint64_t there[6] = {INPUT_FD};
    const uint64_t elsewhere[][6] = {{0}, {PIPE_FD}, {INPUT_FD + 1}, {INPUT_FD | HIGH}};
    for (unsigned arch = 0; arch < PVF__SECCOMP_ARCHES; arch++) {
        uint32_t number = number_of("read", arch);
        assert_int_equal(ask(EJ, arch, number, there), ALLOW);
        assert_int_equal(ask(PJ, arch, number, there), KILL);
        for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
            assert_int_equal(ask(EJ, arch, number, elsewhere[i]), KILL);
        }
    }
}

static void arguments_are_checked_in_jobs(void **state)
{
    (void)state;
    for (unsigned role = PJ; role <= EJ; role++) {
        for (unsigned arch = 0; arch < PVF__SECCOMP_ARCHES; arch++) {
            for (size_t i = 0; i < sizeof(job_rows) / sizeof(job_rows[0]); i++) {
                uint32_t says =
                    ask(role, arch, number_of(job_rows[i].name, arch), job_rows[i].args);
                if (says != job_rows[i].want) {
                    fail_msg("row %zu, %s: role %u, architecture %u: %#x",
                             i,
                             job_rows[i].name,
                             role,
                             arch,
                             (unsigned)says);
                }
            }
        }
    }
}

static void arguments_are_checked_in_workers(void **state)
{
    (void)state;
    const struct {
        const char *name;
        uint64_t args[6];
        uint32_t want;
    } rows[] = {
        {"clone3", {1, 88}, ALLOW},
        {"clone", {17}, KILL},
        {"clone", {0x1011}, ALLOW},     /* a job, and its pidfd */
        {"clone", {0x6e021011}, ALLOW}, /* the same in namespaces */
        {"clone", {0x7e021011}, ALLOW}, /* and in one for users */
        {"clone", {0x1011 | HIGH}, KILL},
        {"clone", {0x1011 | 0x8000}, KILL},     /* a sibling */
        {"clone", {0x1011 | 0x20000000}, KILL}, /* one namespace alone */
        {"clone", {0x3d0f00}, ALLOW},
        {"mmap", {0, 4096, 7}, KILL},
        {"mprotect", {0, 4096, 7}, KILL},
        {"fcntl", {5, 4}, ALLOW},
        {"fcntl", {5, 1033}, ALLOW},
        {"fcntl", {5, 8}, KILL},
        {"prctl", {1}, ALLOW},
        {"prctl", {38}, ALLOW},
        {"prctl", {35}, KILL},
        {"seccomp", {1, 0}, ALLOW},
        {"seccomp", {1, 1}, ALLOW},
        {"seccomp", {1, 8}, KILL}, /* a listener */
        {"seccomp", {0, 0}, KILL},
        {"openat", {0}, ALLOW},
        {"ioctl", {0, 0x5412}, ANSWER(ENOTTY)},
        {"write", {99}, ALLOW},
        {"kill", {1, 9}, ANSWER(ESRCH)},
        {"tgkill", {SELF, SELF, 6}, ALLOW},
        {"tgkill", {SELF, SELF, 9}, KILL},
        {"sendto", {3}, ALLOW},
    };
    for (unsigned role = PW; role <= EW; role++) {
        for (unsigned arch = 0; arch < PVF__SECCOMP_ARCHES; arch++) {
            for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                uint32_t says = ask(role, arch, number_of(rows[i].name, arch), rows[i].args);
                if (says != rows[i].want) {
                    fail_msg("row %zu, %s: role %u, architecture %u: %#x",
                             i,
                             rows[i].name,
                             role,
                             arch,
                             (unsigned)says);
                }
            }
        }
    }
}

/* What it takes to make jobs, and nothing else that an execute job may not. */
static void arguments_are_checked_in_zygotes(void **state)
{
    (void)state;
    const struct {
        const char *name;
        uint64_t args[6];
        uint32_t zygote;
        uint32_t worker; /* the execute worker */
    } rows[] = {
        {"clone", {0x2e008000}, ALLOW, ALLOW},      /* a job: a sibling in new namespaces */
        {"clone", {0x0e008000}, KILL, KILL},        /* among its maker's processes */
        {"clone", {0x6e028000}, KILL, KILL},        /* in all that a plain job has */
        {"clone", {0x4e028000}, KILL, ALLOW},       /* a zygote: all but that of processes */
        {"clone", {0x8000}, KILL, ALLOW},           /* a namespace's first process */
        {"clone", {0x2e001000}, KILL, KILL},        /* no sibling */
        {"clone", {0x2e008011}, KILL, KILL},        /* with a signal */
        {"clone", {0x3e008000}, KILL, KILL},        /* with a namespace for users */
        {"clone", {0x2e008000 | HIGH}, KILL, KILL}, /* CLONE_CLEAR_SIGHAND */
        {"clone", {0x2e008100}, KILL, KILL},        /* in its memory */
        {"clone", {0x6e021011}, KILL, ALLOW},       /* a plain job */
        {"clone", {0x1011}, KILL, ALLOW},           /* the same, without namespaces */
        {"clone", {0x11}, KILL, KILL},              /* fork() */
        {"clone", {0x3d0f00}, ALLOW, ALLOW},        /* a thread, for the job */
        {"clone3", {1, 88}, ANSWER(ENOSYS), ALLOW},
        {"unshare", {0x20000000}, KILL, ALLOW},
        {"unshare", {0x10000000}, KILL, KILL},
        {"unshare", {0x30000000}, KILL, KILL},
        {"unshare", {0x20000000 | HIGH}, KILL, KILL},
        {"unshare", {0}, KILL, KILL},
        {"setpgid", {0, 0}, KILL, ALLOW},
        {"pipe2", {0}, KILL, ALLOW},
        {"sendmsg", {5}, KILL, ALLOW},
        {"recvmsg", {5}, ALLOW, ALLOW},
        {"sendto", {5}, ALLOW, ALLOW},
        {"read", {5}, ALLOW, ALLOW},
        {"write", {99}, ALLOW, ALLOW},
        {"openat", {0}, ANSWER(ENOENT), ALLOW},
        {"memfd_create", {0}, KILL, ALLOW},
        {"madvise", {0, 4096, 4}, ALLOW, ALLOW},
        {"madvise", {0, 4096, 25}, ALLOW, ALLOW}, /* COLLAPSE: the zygote has both filters */
        {"madvise", {0, 4096, 12}, KILL, KILL},
        {"sendfile", {0}, KILL, ALLOW},
        {"pidfd_open", {1}, KILL, ALLOW},
        {"pidfd_send_signal", {1}, KILL, ALLOW},
        {"wait4", {0}, KILL, ALLOW},
        {"waitid", {0}, KILL, ALLOW},
        {"kill", {1, 9}, KILL, ANSWER(ESRCH)},
        {"tgkill", {1, 1, 6}, ALLOW, ALLOW},
        {"tgkill", {1, 1, 9}, KILL, KILL},
        {"prlimit64", {0, 7, 1, 0}, ALLOW, ALLOW},
        {"prlimit64", {1, 7, 1, 0}, KILL, ALLOW},
        {"prlimit64", {HIGH, 7, 1, 0}, KILL, ALLOW},
        {"prctl", {1}, ALLOW, ALLOW},
        {"prctl", {35}, KILL, KILL},
        {"seccomp", {1, 0}, ALLOW, ALLOW},
        {"seccomp", {1, 8}, KILL, KILL},
        {"mprotect", {0, 4096, 7}, KILL, KILL},
    };
    for (unsigned arch = 0; arch < PVF__SECCOMP_ARCHES; arch++) {
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            uint32_t number = number_of(rows[i].name, arch);
            uint32_t zygote = ask(EZ, arch, number, rows[i].args);
            uint32_t worker = ask(EW, arch, number, rows[i].args);
            if (zygote != rows[i].zygote || worker != rows[i].worker) {
                fail_msg("row %zu, %s: architecture %u: %#x, the worker %#x",
                         i,
                         rows[i].name,
                         arch,
                         (unsigned)zygote,
                         (unsigned)worker);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lists_are_sorted_and_without_doubles),
        cmocka_unit_test(a_worker_lets_through_what_its_jobs_need),
        cmocka_unit_test(the_programs_are_valid),
        cmocka_unit_test(the_size_limit_is_kept),
        cmocka_unit_test(a_job_must_be_known),
        cmocka_unit_test(a_foreign_architecture_is_death),
        cmocka_unit_test(x32_is_death),
        cmocka_unit_test(numbers_at_the_edges_are_death),
        cmocka_unit_test(the_programs_say_what_the_policy_says),
        cmocka_unit_test(the_dangerous_calls_are_death_everywhere),
        cmocka_unit_test(few_may_pass_descriptors),
        cmocka_unit_test(jobs_may_less_than_workers),
        cmocka_unit_test(arguments_are_checked_in_jobs),
        cmocka_unit_test(an_execute_job_reads_where_its_input_comes),
        cmocka_unit_test(arguments_are_checked_in_workers),
        cmocka_unit_test(arguments_are_checked_in_zygotes),
    };
    return cmocka_run_group_tests(tests, build_all, NULL);
}
