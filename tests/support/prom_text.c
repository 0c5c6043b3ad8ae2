/* SPDX-License-Identifier: Apache-2.0 */
#include "support/prom_text.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SAMPLES 8192
#define MAX_FAMILIES 128

struct reader {
    const char *at;
    const char *end;
    size_t line;
    struct prom *out;
};

__attribute__((format(printf, 2, 3))) static bool
wrong(struct reader *reader, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int used = snprintf(reader->out->why, sizeof(reader->out->why), "line %zu: ", reader->line);
    (void)vsnprintf(reader->out->why + used, sizeof(reader->out->why) - (size_t)used, format, args);
    va_end(args);
    return false;
}

static bool take(struct reader *reader, const char *words)
{
    size_t len = strlen(words);
    if ((size_t)(reader->end - reader->at) < len || memcmp(reader->at, words, len) != 0) {
        return false;
    }
    reader->at += len;
    return true;
}

/* A name; colons are for rules, not for what is exported. */
static bool take_name(struct reader *reader, char *out, size_t size)
{
    size_t len = 0;
    while (reader->at < reader->end &&
           (isalnum((unsigned char)*reader->at) || *reader->at == '_') && len + 1 < size) {
        out[len++] = *reader->at++;
    }
    out[len] = '\0';
    return len > 0 && !isdigit((unsigned char)out[0]);
}

static bool take_rest(struct reader *reader, char *out, size_t size)
{
    size_t len = 0;
    while (reader->at < reader->end && *reader->at != '\n') {
        if (len + 1 >= size) {
            return false;
        }
        out[len++] = *reader->at++;
    }
    out[len] = '\0';
    return take(reader, "\n");
}

static bool take_value(struct reader *reader, char *out, size_t size)
{
    size_t len = 0;
    if (!take(reader, "\"")) {
        return false;
    }
    while (reader->at < reader->end && *reader->at != '"') {
        char c = *reader->at++;
        if (c == '\n' || len + 1 >= size || reader->at == reader->end) {
            return false;
        }
        if (c == '\\') {
            c = *reader->at++;
            if (c != '\\' && c != '"' && c != 'n') {
                return false;
            }
            c = c == 'n' ? '\n' : c;
        }
        out[len++] = c;
    }
    out[len] = '\0';
    return take(reader, "\"");
}

static bool take_labels(struct reader *reader, struct prom_sample *sample)
{
    if (!take(reader, "{")) {
        return true;
    }
    do {
        size_t i = sample->label_count;
        if (i == PROM_LABELS ||
            !take_name(reader, sample->labels[i].name, sizeof(sample->labels[i].name)) ||
            strncmp(sample->labels[i].name, "__", 2) == 0 || !take(reader, "=") ||
            !take_value(reader, sample->labels[i].value, sizeof(sample->labels[i].value))) {
            return wrong(reader, "not a label");
        }
        for (size_t other = 0; other < i; other++) {
            if (strcmp(sample->labels[other].name, sample->labels[i].name) == 0) {
                return wrong(reader, "label %s twice", sample->labels[i].name);
            }
        }
        sample->label_count++;
    } while (take(reader, ","));
    return take(reader, "}") || wrong(reader, "the labels do not end");
}

/* Digits with at most one point between: what is not needed is not allowed. */
static bool take_number(struct reader *reader, struct prom_sample *sample)
{
    size_t len = 0;
    bool point = false;
    while (reader->at < reader->end && *reader->at != '\n') {
        char c = *reader->at++;
        bool is_point = c == '.' && !point && len > 0;
        if ((!isdigit((unsigned char)c) && !is_point) || len + 1 >= sizeof(sample->digits)) {
            return wrong(reader, "not a number");
        }
        point = point || is_point;
        sample->digits[len++] = c;
    }
    sample->digits[len] = '\0';
    if (len == 0 || sample->digits[len - 1] == '.' || !take(reader, "\n")) {
        return wrong(reader, "the number does not end");
    }
    sample->value = strtod(sample->digits, NULL);
    return true;
}

static bool same_labels(const struct prom_sample *a, const struct prom_sample *b, bool without_le)
{
    size_t count = 0;
    for (size_t i = 0; i < a->label_count; i++) {
        const char *name = a->labels[i].name;
        if (without_le && strcmp(name, "le") == 0) {
            continue;
        }
        const char *value = prom_label(b, name);
        if (value == NULL || strcmp(value, a->labels[i].value) != 0) {
            return false;
        }
        count++;
    }
    size_t others = b->label_count;
    others -= without_le && prom_label(b, "le") != NULL ? 1 : 0;
    return count == others;
}

static bool ends_as(const struct prom *prom, const struct prom_sample *sample, const char *ending)
{
    const char *family = prom->families[sample->family].name;
    size_t len = strlen(family);
    return strncmp(sample->name, family, len) == 0 && strcmp(sample->name + len, ending) == 0;
}

/* The series of buckets that starts at `first` and ends with _sum and _count. */
static bool check_series(struct reader *reader, size_t first, size_t *ret_next)
{
    const struct prom *prom = reader->out;
    const struct prom_sample *samples = prom->samples;
    double bound = -(double)INFINITY;
    double count = 0;
    size_t i = first;
    while (i < prom->sample_count && ends_as(prom, &samples[i], "_bucket") &&
           samples[i].family == samples[first].family &&
           same_labels(&samples[first], &samples[i], true)) {
        const char *le = prom_label(&samples[i], "le");
        double next = le != NULL ? strtod(le, NULL) : (double)NAN;
        if (!(next > bound) || samples[i].value < count) {
            return wrong(reader, "%s: buckets that do not ascend", samples[i].name);
        }
        bound = next;
        count = samples[i].value;
        i++;
    }
    if (!isinf(bound) || i + 1 >= prom->sample_count || !ends_as(prom, &samples[i], "_sum") ||
        !ends_as(prom, &samples[i + 1], "_count") ||
        !same_labels(&samples[first], &samples[i], true) ||
        !same_labels(&samples[first], &samples[i + 1], true) ||
        prom_label(&samples[i], "le") != NULL || prom_label(&samples[i + 1], "le") != NULL) {
        return wrong(reader, "%s: not a whole histogram", samples[first].name);
    }
    if (samples[i + 1].value > count || samples[i + 1].value < count) {
        return wrong(reader, "%s is not what the last bucket says", samples[i + 1].name);
    }
    *ret_next = i + 2;
    return true;
}

static bool check_histograms(struct reader *reader)
{
    const struct prom *prom = reader->out;
    size_t i = 0;
    while (i < prom->sample_count) {
        if (strcmp(prom->families[prom->samples[i].family].type, "histogram") != 0) {
            i++;
        } else if (!check_series(reader, i, &i)) {
            return false;
        }
    }
    return true;
}

static bool read_family(struct reader *reader)
{
    struct prom *prom = reader->out;
    char name[128];
    if (prom->family_count == MAX_FAMILIES) {
        return wrong(reader, "too many families");
    }
    struct prom_family *family = &prom->families[prom->family_count];
    if (!take_name(reader, family->name, sizeof(family->name)) || !take(reader, " ") ||
        !take_rest(reader, family->help, sizeof(family->help)) || family->help[0] == '\0') {
        return wrong(reader, "not a line of help");
    }
    reader->line++;
    if (!take(reader, "# TYPE ") || !take_name(reader, name, sizeof(name)) ||
        strcmp(name, family->name) != 0 || !take(reader, " ") ||
        !take_rest(reader, family->type, sizeof(family->type)) ||
        (strcmp(family->type, "counter") != 0 && strcmp(family->type, "gauge") != 0 &&
         strcmp(family->type, "histogram") != 0)) {
        return wrong(reader, "no type after the help of %s", family->name);
    }
    for (size_t i = 0; i < prom->family_count; i++) {
        if (strcmp(prom->families[i].name, family->name) == 0) {
            return wrong(reader, "%s twice", family->name);
        }
    }
    prom->family_count++;
    return true;
}

static bool read_sample(struct reader *reader)
{
    struct prom *prom = reader->out;
    if (prom->sample_count == MAX_SAMPLES || prom->family_count == 0) {
        return wrong(reader, "too many samples, or one before its family");
    }
    struct prom_sample *sample = &prom->samples[prom->sample_count];
    memset(sample, 0, sizeof(*sample));
    sample->family = prom->family_count - 1;
    if (!take_name(reader, sample->name, sizeof(sample->name))) {
        return wrong(reader, "not a name");
    }
    if (!take_labels(reader, sample)) {
        return false;
    }
    if (!take(reader, " ") || !take_number(reader, sample)) {
        return wrong(reader, "not a number after %s", sample->name);
    }
    bool histogram = strcmp(prom->families[sample->family].type, "histogram") == 0;
    if (histogram ? !ends_as(prom, sample, "_bucket") && !ends_as(prom, sample, "_sum") &&
                        !ends_as(prom, sample, "_count")
                  : !ends_as(prom, sample, "") || prom_label(sample, "le") != NULL) {
        return wrong(reader, "%s does not belong here", sample->name);
    }
    for (size_t i = prom->sample_count; i > 0; i--) {
        const struct prom_sample *other = &prom->samples[i - 1];
        if (other->family != sample->family) {
            break;
        }
        if (strcmp(other->name, sample->name) == 0 && same_labels(other, sample, false)) {
            return wrong(reader, "%s twice with the same labels", sample->name);
        }
    }
    prom->sample_count++;
    return true;
}

bool prom_parse(const char *text, size_t len, struct prom *ret)
{
    memset(ret, 0, sizeof(*ret));
    struct reader reader = {.at = text, .end = text + len, .line = 1, .out = ret};
    ret->samples = calloc(MAX_SAMPLES, sizeof(*ret->samples));
    ret->families = calloc(MAX_FAMILIES, sizeof(*ret->families));
    if (ret->samples == NULL || ret->families == NULL) {
        return wrong(&reader, "no memory");
    }
    while (reader.at < reader.end) {
        if (!(take(&reader, "# HELP ") ? read_family(&reader) : read_sample(&reader))) {
            return false;
        }
        reader.line++;
    }
    for (size_t i = 0; i < ret->family_count; i++) {
        size_t have = 0;
        while (have < ret->sample_count && ret->samples[have].family != i) {
            have++;
        }
        if (have == ret->sample_count) {
            return wrong(&reader, "%s has no sample", ret->families[i].name);
        }
    }
    return check_histograms(&reader);
}

void prom_done(struct prom *prom)
{
    free(prom->samples);
    free(prom->families);
    prom->families = NULL;
    prom->samples = NULL;
}

const char *prom_label(const struct prom_sample *sample, const char *name)
{
    for (size_t i = 0; i < sample->label_count; i++) {
        if (strcmp(sample->labels[i].name, name) == 0) {
            return sample->labels[i].value;
        }
    }
    return NULL;
}

const struct prom_sample *prom_find(const struct prom *prom, const char *name, const char *labels)
{
    for (size_t i = 0; i < prom->sample_count; i++) {
        const struct prom_sample *sample = &prom->samples[i];
        char have[512] = "";
        size_t used = 0;
        for (size_t l = 0; l < sample->label_count && used < sizeof(have); l++) {
            used += (size_t)snprintf(have + used,
                                     sizeof(have) - used,
                                     "%s%s=%s",
                                     l > 0 ? "," : "",
                                     sample->labels[l].name,
                                     sample->labels[l].value);
        }
        if (strcmp(sample->name, name) == 0 && strcmp(have, labels) == 0) {
            return sample;
        }
    }
    return NULL;
}
