/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_TESTS_SUPPORT_BPF_SIM_H
#define PVF_TESTS_SUPPORT_BPF_SIM_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A small machine for the kernel's classic BPF, as far as filters of system calls use it.  It lets
 * the filter of one architecture be asked on another, and asked about calls that would kill.
 */

/* What the kernel demands before it takes a program; *ret_fault says where it would not. */
bool bpf_sim_is_valid(const struct sock_filter *code, size_t count, size_t *ret_fault);

/* The program's answer, a SECCOMP_RET_*; the program must be valid. */
uint32_t bpf_sim_run(const struct sock_filter *code, size_t count, const struct seccomp_data *data);

#endif
