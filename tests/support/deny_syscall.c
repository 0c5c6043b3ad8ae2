/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a command under a system-call filter such as a container or a systemd unit puts over it:
 *
 *   deny_syscall EPERM unshare,mount -- pvf doctor
 *   deny_syscall kill landlock_create_ruleset -- …
 *   deny_syscall EPERM only:@FILE -- …
 *
 * The first word is what a denied call gives: an errno, or "kill" for SIGSYS.  Then the calls, with
 * commas between; "clone:namespaces" is clone with a flag for a new namespace, as
 * RestrictNamespaces of systemd has it; "only:" in front denies all others, and "only:@FILE" takes
 * the names from a file, where names that this machine does not know are left out.  Ends with 125
 * when it cannot do that, and 127 when the command cannot be run.
 */
#include "support/give_up.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FAILED 125
#define NOT_RUN 127
#define NAMESPACE_CLONE "clone:namespaces"
#define MOST 2048u

#if defined(__x86_64__)
#define THIS_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCH AUDIT_ARCH_AARCH64
#endif

/* Every call that the C library's headers know. */
static const struct {
    const char *name;
    uint32_t number;
} calls[] = {
#include "syscall_names.h"
};

static struct sock_filter program[MOST];
static size_t length;

static void emit(struct sock_filter instruction)
{
    if (length == MOST) {
        give_up(FAILED, "deny_syscall: too many calls");
    }
    program[length++] = instruction;
}

/* The action when the number is this one; two instructions, so that no jump is ever long. */
static void emit_call(uint32_t number, uint32_t action)
{
    emit((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1));
    emit((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

/* The action for clone with a flag of a namespace; the number is loaded again afterwards. */
static void emit_namespace_clone(uint32_t action)
{
    const uint32_t flags = CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWNS |
                           CLONE_NEWPID | CLONE_NEWUSER | CLONE_NEWUTS;
    emit((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3));
    emit((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                      offsetof(struct seccomp_data, args[0])));
    emit((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, flags, 0, 1));
    emit((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
    emit((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
}

/* A name alone, without the blanks around it. */
static void add_call(const char *name, uint32_t action, bool must_exist)
{
    if (strcmp(name, NAMESPACE_CLONE) == 0) {
        emit_namespace_clone(action);
        return;
    }
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        if (strcmp(calls[i].name, name) == 0) {
            emit_call(calls[i].number, action);
            return;
        }
    }
    if (must_exist) {
        give_up(FAILED, "deny_syscall: there is no system call %s", name);
    }
}

static void add_list(char *list, uint32_t action, bool must_exist)
{
    char *rest = NULL;
    for (char *name = strtok_r(list, ", \t\n", &rest); name != NULL;
         name = strtok_r(NULL, ", \t\n", &rest)) {
        add_call(name, action, must_exist);
    }
}

static char *read_list(const char *path)
{
    static char text[65536];
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        give_up(FAILED, "deny_syscall: %s: %s", path, strerror(errno));
    }
    size_t len = fread(text, 1, sizeof(text) - 1, file);
    if (ferror(file) != 0 || len == 0 || len == sizeof(text) - 1) {
        give_up(FAILED, "deny_syscall: %s cannot be read", path);
    }
    (void)fclose(file);
    return text;
}

static uint32_t action_of(const char *word)
{
    if (strcmp(word, "kill") == 0) {
        return SECCOMP_RET_KILL_PROCESS;
    }
    for (int number = 1; number < 134; number++) {
        const char *name = strerrorname_np(number);
        if (name != NULL && strcmp(name, word) == 0) {
            return SECCOMP_RET_ERRNO | (uint32_t)number;
        }
    }
    give_up(FAILED, "deny_syscall: %s is neither an errno nor 'kill'", word);
}

int main(int argc, char **argv)
{
    static const char only[] = "only:";
    if (argc < 5 || strcmp(argv[3], "--") != 0) {
        give_up(FAILED,
                "usage: deny_syscall ERRNO|kill [only:]CALL[,CALL…]|only:@FILE -- COMMAND [ARG…]");
    }
    uint32_t denied = action_of(argv[1]);
    bool inverse = strncmp(argv[2], only, strlen(only)) == 0;
    char *list = inverse ? argv[2] + strlen(only) : argv[2];
    if (inverse && list[0] == '@') {
        list = read_list(list + 1);
    }
    emit((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                      offsetof(struct seccomp_data, arch)));
    emit((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, THIS_ARCH, 1, 0));
    emit((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
    emit((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
    add_list(list, inverse ? SECCOMP_RET_ALLOW : denied, !inverse);
    emit((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, inverse ? denied : SECCOMP_RET_ALLOW));
    const struct sock_fprog filter = {.len = (unsigned short)length, .filter = program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
        give_up(FAILED, "deny_syscall: the filter was not taken: %s", strerror(errno));
    }
    (void)execvp(argv[4], &argv[4]);
    (void)fprintf(stderr, "deny_syscall: %s: %s\n", argv[4], strerror(errno));
    return NOT_RUN;
}
