/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_TESTS_SUPPORT_PROM_TEXT_H
#define PVF_TESTS_SUPPORT_PROM_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A strict reader of Prometheus's text format 0.0.4: HELP, TYPE, then the samples of a family, all
 * together; names, labels and escapes as the format has them; no series twice; histograms complete,
 * ascending, and equal to their count.  Stricter than Prometheus itself, which takes more.
 */
#define PROM_LABELS 8

struct prom_sample {
    size_t family;
    char name[128];
    size_t label_count;
    struct {
        char name[32];
        char value[128];
    } labels[PROM_LABELS];
    char digits[40]; /* the value as it was written */
    double value;
};

struct prom_family {
    char name[128];
    char help[160];
    char type[12];
};

struct prom {
    struct prom_family *families; /* owned, as are the samples */
    size_t family_count;
    struct prom_sample *samples;
    size_t sample_count;
    char why[200]; /* what is wrong, and in which line */
};

/* False: see prom->why.  Release with prom_done in both cases. */
bool prom_parse(const char *text, size_t len, struct prom *ret);
void prom_done(struct prom *prom);

/* The value of a label, or NULL. */
const char *prom_label(const struct prom_sample *sample, const char *name);

/*
 * The one sample of that name whose labels are exactly `labels`, written as name=value with commas
 * between, in order.  NULL: there is none.
 */
const struct prom_sample *prom_find(const struct prom *prom, const char *name, const char *labels);

#endif
