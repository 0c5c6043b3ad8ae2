/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: a blob's or an artifact's summary as JSON. */
#include "prepare/prepare_summary.h"

#include "base/text.h"
#include "hash/hash.h"
#include "hostcall/hostcall.h"
#include "wasm/wasm_inspect.h"

#include <string.h>

static void
put_imports(struct pvf__json_out *json, const struct pvf__wasm_summary *summary, bool ecc)
{
    pvf__json_out_open(json, "imports", '[');
    for (size_t i = 0; i < summary->import_count; i++) {
        const struct pvf__wasm_summary_import *import = &summary->imports[i];
        pvf__json_out_open(json, NULL, '{');
        pvf__json_out_string(json, "module", import->module);
        pvf__json_out_string(json, "name", import->name);
        pvf__json_out_string(json, "kind", import->kind);
        pvf__json_out_string(json, "signature", import->type);
        if (strcmp(import->kind, "function") == 0) {
            pvf__json_out_bool(json,
                               "provided",
                               strcmp(import->module, "env") == 0 &&
                                   pvf__hostcall_find(import->name, strlen(import->name), ecc) !=
                                       NULL);
        }
        pvf__json_out_close(json, '}');
    }
    pvf__json_out_close(json, ']');
}

static void put_exports(struct pvf__json_out *json, const struct pvf__wasm_summary *summary)
{
    pvf__json_out_open(json, "exports", '[');
    for (size_t i = 0; i < summary->export_count; i++) {
        const struct pvf__wasm_summary_export *export = &summary->exports[i];
        pvf__json_out_open(json, NULL, '{');
        pvf__json_out_string(json, "name", export->name);
        pvf__json_out_string(json, "kind", export->kind);
        pvf__json_out_number(json, "index", export->index);
        pvf__json_out_string(json, "type", export->type);
        pvf__json_out_close(json, '}');
    }
    pvf__json_out_close(json, ']');
}

static void put_sections(struct pvf__json_out *json, const struct pvf__wasm_summary *summary)
{
    pvf__json_out_open(json, "sections", '[');
    for (size_t i = 0; i < summary->section_count; i++) {
        const struct pvf__wasm_summary_section *section = &summary->sections[i];
        pvf__json_out_open(json, NULL, '{');
        pvf__json_out_number(json, "id", section->id);
        pvf__json_out_string(json, "kind", section->kind);
        pvf__json_out_string(json, "name", section->name);
        pvf__json_out_number(json, "offset", section->offset);
        pvf__json_out_number(json, "size", section->size);
        pvf__json_out_close(json, '}');
    }
    pvf__json_out_close(json, ']');
}

static void put_memory(struct pvf__json_out *json, const struct pvf__wasm_summary *summary)
{
    if (!summary->has_memory) {
        pvf__json_out_null(json, "memory");
        return;
    }
    pvf__json_out_open(json, "memory", '{');
    pvf__json_out_number(json, "min", summary->memory_min);
    if (summary->memory_has_max) {
        pvf__json_out_number(json, "max", summary->memory_max);
    } else {
        pvf__json_out_null(json, "max");
    }
    pvf__json_out_bool(json, "imported", summary->memory_imported);
    pvf__json_out_close(json, '}');
}

static void put_counts(struct pvf__json_out *json, const struct pvf__wasm_summary *summary)
{
    const struct {
        const char *key;
        uint64_t value;
    } counts[] = {
        {"types", summary->types},
        {"functions", summary->functions},
        {"imported_functions", summary->imported_functions},
        {"tables", summary->tables},
        {"globals", summary->globals},
        {"element_segments", summary->element_segments},
        {"data_segments", summary->data_segments},
        {"largest_body", summary->largest_body},
        {"largest_body_function", summary->largest_body_function},
    };
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        pvf__json_out_number(json, counts[i].key, counts[i].value);
    }
    if (summary->costs_known) {
        pvf__json_out_number(json, "max_cost", summary->largest_cost);
        pvf__json_out_number(json, "max_cost_function", summary->largest_cost_function);
    }
}

void pvf__prepare_summary(struct pvf__json_out *json, const uint8_t *code, size_t len, bool ecc)
{
    struct pvf__wasm_summary summary;
    struct pvf__wasm_fault fault;
    if (pvf__wasm_summarize(code, len, &summary, &fault) != 0) {
        /* The verdict has said why. */
        return;
    }
    put_counts(json, &summary);
    put_memory(json, &summary);
    pvf__json_out_bool(json, "start", summary.has_start);
    pvf__json_out_bool(json, "has_memory", summary.exports_memory);
    pvf__json_out_bool(json, "has_heap_base", summary.exports_heap_base);
    pvf__json_out_string(json, "heap_base_type", summary.heap_base_type);
    pvf__json_out_bool(json, "has_validate_block", summary.exports_validate_block);
    pvf__json_out_string(json, "validate_block_type", summary.validate_block_type);
    put_imports(json, &summary, ecc);
    put_exports(json, &summary);
    put_sections(json, &summary);
    pvf__wasm_summary_done(&summary);
}

void pvf__prepare_summary_artifact(struct pvf__json_out *json, const uint8_t *data, size_t len)
{
    uint8_t checksum[32];
    char digits[65];
    pvf__hash_twox_256(data, len, checksum);
    pvf__text_to_hex(checksum, sizeof(checksum), digits);
    pvf__json_out_string(json, "kind", "artifact");
    pvf__json_out_number(json, "len", len);
    pvf__json_out_string(json, "checksum", digits);
}
