/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: what is told about the machine.  Nothing that names it or its user; what the kernel does
 * not tell is left out.
 */
#include "evidence/evidence_machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Far more than any of the files has but cpuinfo, whose first part is enough. */
#define FILE_MAX 4096

/* The start of a file of /proc, terminated; empty when it cannot be read. */
static void read_start(const char *path, char out[FILE_MAX])
{
    FILE *file = fopen(path, "re");
    size_t len = file != NULL ? fread(out, 1, FILE_MAX - 1, file) : 0;
    out[len] = '\0';
    if (file != NULL) {
        (void)fclose(file);
    }
}

/* The rest of the first line that begins with `key`, without blanks and colon in front. */
static bool line_of(const char *text, const char *key, char *out, size_t size)
{
    for (const char *at = text; at != NULL && *at != '\0';) {
        if (strncmp(at, key, strlen(key)) == 0) {
            at += strlen(key);
            at += strspn(at, " \t:");
            size_t len = strcspn(at, "\n");
            (void)snprintf(out, size, "%.*s", (int)(len < size ? len : size - 1), at);
            return true;
        }
        at = strchr(at, '\n');
        at = at != NULL ? at + 1 : NULL;
    }
    return false;
}

static void put_hardware(struct pvf__json_out *json, char text[FILE_MAX])
{
    struct utsname name;
    char line[128];
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (uname(&name) == 0) {
        pvf__json_out_string(json, "kernel", name.release);
        pvf__json_out_string(json, "architecture", name.machine);
    }
    read_start("/proc/cpuinfo", text);
    if (line_of(text, "model name", line, sizeof(line))) {
        pvf__json_out_string(json, "cpu", line);
    }
    if (processors > 0) {
        pvf__json_out_number(json, "processors", (uint64_t)processors);
    }
}

static void put_memory(struct pvf__json_out *json, char text[FILE_MAX])
{
    static const char *const keys[][2] = {{"MemTotal", "memory_kib"},
                                          {"MemAvailable", "memory_available_kib"},
                                          {"SwapFree", "swap_free_kib"}};
    read_start("/proc/meminfo", text);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        char line[64];
        if (line_of(text, keys[i][0], line, sizeof(line))) {
            pvf__json_out_number(json, keys[i][1], strtoull(line, NULL, 10));
        }
    }
}

/* How much had to wait, as the kernel tells it: load, and the lines "some" of its pressure files.
 */
static void put_load(struct pvf__json_out *json, char text[FILE_MAX])
{
    static const char *const files[][2] = {{"/proc/pressure/cpu", "pressure_cpu"},
                                           {"/proc/pressure/memory", "pressure_memory"},
                                           {"/proc/pressure/io", "pressure_io"}};
    char line[128];
    read_start("/proc/loadavg", text);
    if (line_of(text, "", line, sizeof(line))) {
        pvf__json_out_string(json, "load", line);
    }
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        read_start(files[i][0], text);
        if (line_of(text, "some", line, sizeof(line))) {
            pvf__json_out_string(json, files[i][1], line);
        }
    }
}

/* This process, and all of its children that have ended: workers and their jobs. */
static void put_process(struct pvf__json_out *json, char text[FILE_MAX])
{
    struct rusage usage;
    char line[128];
    if (getrusage(RUSAGE_CHILDREN, &usage) == 0) {
        pvf__json_out_number(json, "children_minor_faults", (uint64_t)usage.ru_minflt);
        pvf__json_out_number(json, "children_major_faults", (uint64_t)usage.ru_majflt);
        pvf__json_out_number(json, "children_preempted", (uint64_t)usage.ru_nivcsw);
        pvf__json_out_number(json, "children_max_rss_kib", (uint64_t)usage.ru_maxrss);
    }
    read_start("/proc/self/schedstat", text);
    if (line_of(text, "", line, sizeof(line))) {
        /* Nanoseconds on a processor, nanoseconds of waiting for one, turns. */
        pvf__json_out_string(json, "host_schedstat", line);
    }
}

void pvf__evidence_machine(struct pvf__json_out *json)
{
    char text[FILE_MAX];
    pvf__json_out_open(json, "machine", '{');
    put_hardware(json, text);
    put_memory(json, text);
    put_load(json, text);
    put_process(json, text);
    pvf__json_out_close(json, '}');
}
