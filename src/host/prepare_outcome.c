/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the meaning of every end of a preparation, as one table.  Which errors are the code's fault
 * (deterministic) is the protocol's own list.
 */
#include "host/prepare_outcome.h"

#include "host/outcome.h"

struct row {
    enum {
        CONCLUDES_NOTHING,
        OK,
        ERROR
    } what;
    enum pvf__prepare_error_kind error; /* ERROR */
    bool keeps_worker;
    bool is_death;
};

/* clang-format off */
static const struct row rows[] = {
    /*                                            what               error                             keep   death */
    [PVF__PREPARE_EVENT_TMP_FILE_FAILED]      = {ERROR,             PVF__PREPARE_CREATE_TMP_FILE,      true,  false},
    [PVF__PREPARE_EVENT_NOT_SENT]             = {CONCLUDES_NOTHING, PVF__PREPARE_IO_ERR,               false, false},
    [PVF__PREPARE_EVENT_EXPIRED]              = {ERROR,             PVF__PREPARE_TIMED_OUT,            false, false},
    [PVF__PREPARE_EVENT_STALLED]              = {ERROR,             PVF__PREPARE_TIMED_OUT,            false, false},
    [PVF__PREPARE_EVENT_LOST]                 = {ERROR,             PVF__PREPARE_IO_ERR,               false, true},
    [PVF__PREPARE_EVENT_NOT_READ]             = {ERROR,             PVF__PREPARE_IO_ERR,               false, false},
    [PVF__PREPARE_EVENT_UNDECODABLE]          = {ERROR,             PVF__PREPARE_IO_ERR,               false, true},
    [PVF__PREPARE_EVENT_CPU_OVER]             = {ERROR,             PVF__PREPARE_TIMED_OUT,            false, false},
    [PVF__PREPARE_EVENT_NO_PLAIN_FILE]        = {ERROR,             PVF__PREPARE_IO_ERR,               false, false},
    [PVF__PREPARE_EVENT_RENAME_FAILED]        = {ERROR,             PVF__PREPARE_RENAME_TMP_FILE,      true,  false},
    [PVF__PREPARE_EVENT_OK]                   = {OK,                PVF__PREPARE_PREVALIDATION,        true,  false},
    [PVF__PREPARE_EVENT_PREVALIDATION]        = {ERROR,             PVF__PREPARE_PREVALIDATION,        true,  false},
    [PVF__PREPARE_EVENT_PREPARATION]          = {ERROR,             PVF__PREPARE_PREPARATION,          true,  false},
    [PVF__PREPARE_EVENT_RUNTIME_CONSTRUCTION] = {ERROR,             PVF__PREPARE_RUNTIME_CONSTRUCTION, true,  false},
    [PVF__PREPARE_EVENT_JOB_ERROR]            = {ERROR,             PVF__PREPARE_JOB_ERROR,            true,  false},
    [PVF__PREPARE_EVENT_TIMED_OUT]            = {ERROR,             PVF__PREPARE_TIMED_OUT,            false, false},
    [PVF__PREPARE_EVENT_IO_ERR]               = {ERROR,             PVF__PREPARE_IO_ERR,               true,  false},
    [PVF__PREPARE_EVENT_CREATE_TMP_FILE]      = {ERROR,             PVF__PREPARE_CREATE_TMP_FILE,      true,  false},
    [PVF__PREPARE_EVENT_RENAME_TMP_FILE]      = {ERROR,             PVF__PREPARE_RENAME_TMP_FILE,      true,  false},
    [PVF__PREPARE_EVENT_OUT_OF_MEMORY]        = {ERROR,             PVF__PREPARE_OUT_OF_MEMORY,        false, false},
    [PVF__PREPARE_EVENT_CLEAR_WORKER_DIR]     = {ERROR,             PVF__PREPARE_CLEAR_WORKER_DIR,     true,  false},
    [PVF__PREPARE_EVENT_JOB_DIED]             = {ERROR,             PVF__PREPARE_JOB_DIED,             false, true},
    [PVF__PREPARE_EVENT_KERNEL]               = {ERROR,             PVF__PREPARE_KERNEL,               true,  false},
    [PVF__PREPARE_EVENT_COULD_NOT_DECOMPRESS] = {ERROR,             PVF__PREPARE_COULD_NOT_DECOMPRESS, true,  false},
};
/* clang-format on */

static enum pvf__prepare_event said(enum pvf__prepare_error_kind kind)
{
    switch (kind) {
    case PVF__PREPARE_PREVALIDATION:
        return PVF__PREPARE_EVENT_PREVALIDATION;
    case PVF__PREPARE_PREPARATION:
        return PVF__PREPARE_EVENT_PREPARATION;
    case PVF__PREPARE_RUNTIME_CONSTRUCTION:
        return PVF__PREPARE_EVENT_RUNTIME_CONSTRUCTION;
    case PVF__PREPARE_JOB_ERROR:
        return PVF__PREPARE_EVENT_JOB_ERROR;
    case PVF__PREPARE_TIMED_OUT:
        return PVF__PREPARE_EVENT_TIMED_OUT;
    case PVF__PREPARE_CREATE_TMP_FILE:
        return PVF__PREPARE_EVENT_CREATE_TMP_FILE;
    case PVF__PREPARE_RENAME_TMP_FILE:
        return PVF__PREPARE_EVENT_RENAME_TMP_FILE;
    case PVF__PREPARE_OUT_OF_MEMORY:
        return PVF__PREPARE_EVENT_OUT_OF_MEMORY;
    case PVF__PREPARE_CLEAR_WORKER_DIR:
        return PVF__PREPARE_EVENT_CLEAR_WORKER_DIR;
    case PVF__PREPARE_JOB_DIED:
        return PVF__PREPARE_EVENT_JOB_DIED;
    case PVF__PREPARE_KERNEL:
        return PVF__PREPARE_EVENT_KERNEL;
    case PVF__PREPARE_COULD_NOT_DECOMPRESS:
        return PVF__PREPARE_EVENT_COULD_NOT_DECOMPRESS;
    case PVF__PREPARE_IO_ERR:
    default:
        return PVF__PREPARE_EVENT_IO_ERR;
    }
}

enum pvf__prepare_event pvf__prepare_outcome_event(const struct pvf__prepare_answer *answer,
                                                   struct pvf__duration cpu_limit)
{
    if (!answer->ok) {
        return said(answer->error.kind);
    }
    return pvf__duration_compare(answer->stats.cpu_time, cpu_limit) > 0
               ? PVF__PREPARE_EVENT_CPU_OVER
               : PVF__PREPARE_EVENT_OK;
}

bool pvf__prepare_outcome_keeps_worker(enum pvf__prepare_event event)
{
    return rows[event].keeps_worker;
}

bool pvf__prepare_outcome_is_death(enum pvf__prepare_event event)
{
    return rows[event].is_death;
}

bool pvf__prepare_outcome_set(enum pvf__prepare_event event,
                              struct pvf__slice detail,
                              pvf_prepare_outcome *ret)
{
    const struct row *row = &rows[event];
    if (row->what == CONCLUDES_NOTHING) {
        return false;
    }
    ret->ok = row->what == OK;
    if (row->what == ERROR) {
        char words[160];
        const struct pvf__prepare_error plain = {.kind = row->error};
        pvf__prepare_error_text(&plain, words, sizeof(words));
        ret->error = (int32_t)row->error;
        ret->name = pvf__prepare_error_name(row->error);
        ret->deterministic = pvf__prepare_error_is_deterministic(row->error);
        pvf__outcome_line(words, detail, ret->text, sizeof(ret->text));
    }
    return true;
}
