/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the probes of the kernel's surface: calls that no validation function needs and in which
 * the faults were, and other ways to make a call.
 */
#include "sandbox/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#define PAGE 4096

/* Newer than the headers of Debian 12. */
#define USERFAULT_USER_MODE_ONLY 1

static int io_uring(struct probe_env *env)
{
    (void)env;
    char params[120] = {0};
    return probe_result(syscall(SYS_io_uring_setup, 1, params));
}

static int userfault(struct probe_env *env)
{
    (void)env;
    return probe_result(syscall(SYS_userfaultfd, O_CLOEXEC | USERFAULT_USER_MODE_ONLY));
}

static int bpf_map(struct probe_env *env)
{
    (void)env;
    union bpf_attr attr;
    memset(&attr, 0, sizeof(attr));
    attr.map_type = BPF_MAP_TYPE_ARRAY;
    attr.key_size = 4;
    attr.value_size = 4;
    attr.max_entries = 1;
    return probe_result(syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)));
}

static int perf(struct probe_env *env)
{
    (void)env;
    struct perf_event_attr attr = {
        .type = PERF_TYPE_SOFTWARE,
        .size = sizeof(attr),
        .config = PERF_COUNT_SW_TASK_CLOCK,
        .exclude_kernel = 1,
        .exclude_hv = 1,
    };
    return probe_result(syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC));
}

static int keyring(struct probe_env *env)
{
    (void)env;
    return probe_result(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1));
}

static int memory_file(struct probe_env *env)
{
    (void)env;
    return probe_result(memfd_create("probe", MFD_CLOEXEC));
}

/* Types a character into a terminal of its own, or into whatever its input is. */
static int type_into_terminal(struct probe_env *env)
{
    (void)env;
    char letter = 'x';
    int lock = 0;
    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    int terminal = -1;
    if (master >= 0 && ioctl(master, TIOCSPTLCK, &lock) == 0) {
        terminal = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    }
    if (terminal >= 0) {
        (void)setsid();
        (void)ioctl(terminal, TIOCSCTTY, 0);
    }
    /* Both stay open: the last one to close would hang up on us. */
    return probe_result(ioctl(terminal >= 0 ? terminal : 0, TIOCSTI, &letter));
}

/* The third table of calls of x86-64.  Where the kernel has none it says so: any answer is one. */
static int x32_call(struct probe_env *env)
{
    (void)env;
#if defined(__x86_64__)
    (void)syscall(0x40000000 | SYS_getpid);
    return 0;
#else
    return ENOTSUP;
#endif
}

/* The calls of 32-bit programs. */
static int call_of_32_bits(struct probe_env *env)
{
    (void)env;
#if defined(__x86_64__)
    const int getpid_of_32_bits = 20;
    long result = getpid_of_32_bits;
    __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11", "cc");
    return result > 0 ? 0 : (int)-result;
#else
    return ENOTSUP;
#endif
}

static int map_for_all(struct probe_env *env)
{
    (void)env;
    void *at =
        mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? errno : 0;
}

static int protect_for_all(struct probe_env *env)
{
    (void)env;
    void *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? errno
                            : probe_result(mprotect(at, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC));
}

static int make_all_executable(struct probe_env *env)
{
    (void)env;
    return probe_result(personality(READ_IMPLIES_EXEC));
}

static int shared_segment(struct probe_env *env)
{
    (void)env;
    int id = shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0600);
    int refusal = errno;
    if (id < 0) {
        return refusal;
    }
    (void)shmctl(id, IPC_RMID, NULL);
    return 0;
}

static int watch_files(struct probe_env *env)
{
    (void)env;
    return probe_result(inotify_init1(IN_CLOEXEC));
}

static const struct probe list[] = {
    {"io-uring", io_uring, false},
    {"userfault", userfault, false},
    {"bpf", bpf_map, false},
    {"perf", perf, false},
    {"keyring", keyring, false},
    {"memory-file", memory_file, false},
    {"type-into-terminal", type_into_terminal, false},
    {"x32-call", x32_call, false},
    {"call-of-32-bits", call_of_32_bits, false},
    {"map-for-all", map_for_all, false},
    {"protect-for-all", protect_for_all, false},
    {"make-all-executable", make_all_executable, false},
    {"shared-segment", shared_segment, false},
    {"watch-files", watch_files, false},
};
PROBE_LIST(list, probe_kernel);
