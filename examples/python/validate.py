#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""validate.py LIBPVF WORKERS DATA: precheck and execute a candidate, by ctypes alone.

LIBPVF is the shared library, WORKERS the folder of the worker programs, DATA the folder tests/data/adder.  The
structures are those of pvf/error.h, pvf/types.h, pvf/host.h and pvf/outcome.h; a test compares their layout with
the library's.  ctypes releases the interpreter's lock while a call blocks, so other threads go on.
"""
import ctypes
import pathlib
import sys
from ctypes import POINTER, byref, c_bool, c_char, c_char_p, c_int, c_int32, c_int64, c_size_t, c_uint8, c_uint32
from ctypes import c_uint64, c_void_p

Hash = c_uint8 * 32
PRECHECKING = 1  # enum pvf_prepare_kind
DESCRIPTOR_V2 = 1  # enum pvf_descriptor_version
VALID = 0  # enum pvf_verdict


class Error(ctypes.Structure):  # pvf_error
    _fields_ = [("code", c_int32), ("sys_errno", c_int32), ("detail", c_int32), ("text", c_char * 244)]


class Bytes(ctypes.Structure):  # pvf_bytes; the caller keeps what it points at
    _fields_ = [("data", c_char_p), ("len", c_size_t)]


class SecurityStatus(ctypes.Structure):  # pvf_security_status
    _fields_ = [(name, c_bool) for name in (
        "secure_validator_mode", "can_enable_landlock", "can_enable_seccomp",
        "can_unshare_user_namespace_and_change_root", "can_do_secure_clone")]


class HostConfig(ctypes.Structure):  # pvf_host_config
    _fields_ = [
        ("prepare_worker_path", c_char_p), ("execute_worker_path", c_char_p), ("cache_dir", c_char_p),
        ("node_version", c_char_p), ("log_directives", c_char_p), ("spawn_timeout_ms", c_uint32), ("quiet", c_bool),
        ("plain_protocol", c_bool), ("security_mode", c_int32), ("security", SecurityStatus), ("metering", c_int32),
        ("compile_threads", c_uint32), ("reserved", c_uint64 * 8)]


class PrepareRequest(ctypes.Structure):  # pvf_prepare_request
    _fields_ = [("code", Bytes), ("bomb_limit", c_uint32), ("executor_params", Bytes), ("timeout_ms", c_uint64),
                ("kind", c_int32), ("reserved", c_uint64 * 4)]


class PrepareOutcome(ctypes.Structure):  # pvf_prepare_outcome
    _fields_ = [
        ("ok", c_bool), ("error", c_int32), ("deterministic", c_bool), ("name", c_char_p), ("text", c_char * 512),
        ("code_hash", Hash), ("prep_hash", Hash), ("artifact_path", c_char_p), ("kept", c_bool),
        ("artifact_size", c_uint64), ("checksum", Hash), ("cpu_us", c_uint64), ("wall_us", c_uint64),
        ("code_len", c_uint32), ("max_rss_kib", c_int64), ("peak_allocated", c_uint64),
        ("reserved", c_uint64 * 4)]


class ExecuteRequest(ctypes.Structure):  # pvf_execute_request
    _fields_ = [
        ("artifact_path", c_char_p), ("checksum", Hash), ("executor_params", Bytes), ("timeout_ms", c_uint64),
        ("parent_head", Bytes), ("relay_parent_number", c_uint32), ("relay_parent_storage_root", Hash),
        ("max_pov_size", c_uint32), ("pov", Bytes), ("relay_parent", Hash), ("scheduling_parent", Hash),
        ("descriptor_version", c_int32), ("descriptor_byte", c_uint8),
        ("reserved", c_uint64 * 4)]


class Outcome(ctypes.Structure):  # pvf_outcome
    _fields_ = [
        ("verdict", c_int32), ("reason", c_int32), ("retry", c_bool), ("bad_artifact", c_bool),
        ("spawn_failure", c_int32), ("sys_errno", c_int32), ("text", c_char * 512), ("cpu_us", c_uint64),
        ("wall_us", c_uint64), ("pov_size", c_uint32), ("result", POINTER(c_uint8)), ("result_len", c_size_t),
        ("head_data", Bytes), ("head_hash", Hash), ("new_code", Bytes), ("upward_messages", c_uint32),
        ("horizontal_messages", c_uint32), ("processed_downward_messages", c_uint32), ("hrmp_watermark", c_uint32),
        ("reserved", c_uint64 * 4)]


def load(path):
    """The library, with the types of what is called here."""
    library = ctypes.CDLL(str(path))
    host = c_void_p
    for name, result, *arguments in (
            ("pvf_host_new", c_int, POINTER(HostConfig), POINTER(host), POINTER(Error)),
            ("pvf_host_free", None, host),
            ("pvf_host_prepare", c_int, host, POINTER(PrepareRequest), POINTER(PrepareOutcome), POINTER(Error)),
            ("pvf_host_execute", c_int, host, POINTER(ExecuteRequest), POINTER(Outcome), POINTER(Error)),
            ("pvf_prepare_outcome_done", None, POINTER(PrepareOutcome)),
            ("pvf_outcome_done", None, POINTER(Outcome)),
            ("pvf_verdict_name", c_char_p, c_int32)):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def check(status, err):
    """Negative statuses become exceptions; verdicts are values and stay."""
    if status != 0:
        raise RuntimeError(f"{err.text.decode()} (status {status})")


def validate(library, host, code, pvd, pov):
    """Prints what became of it; the verdict, or None when the code is not accepted."""
    err, prepared, outcome = Error(), PrepareOutcome(), Outcome()
    request = PrepareRequest(code=Bytes(code, len(code)), kind=PRECHECKING)
    check(library.pvf_host_prepare(host, byref(request), byref(prepared), byref(err)), err)
    try:
        if not prepared.ok:
            print("precheck: not accepted:", prepared.text.decode())
            return None
        print("precheck: accepted")
        # SCALE PersistedValidationData: the head with its length before it, here of two bytes.
        head_end = 2 + (int.from_bytes(pvd[:2], "little") >> 2)
        head, rest = pvd[2:head_end], pvd[head_end:]
        candidate = ExecuteRequest(
            artifact_path=prepared.artifact_path, checksum=prepared.checksum,
            parent_head=Bytes(head, len(head)), relay_parent_number=int.from_bytes(rest[:4], "little"),
            relay_parent_storage_root=Hash(*rest[4:36]), max_pov_size=int.from_bytes(rest[36:40], "little"),
            pov=Bytes(pov, len(pov)), descriptor_version=DESCRIPTOR_V2)
        check(library.pvf_host_execute(host, byref(candidate), byref(outcome), byref(err)), err)
        verdict = outcome.verdict
        print("execute:", library.pvf_verdict_name(verdict).decode(),
              bytes(outcome.head_hash).hex() if verdict == VALID else outcome.text.decode())
        return verdict
    finally:
        library.pvf_outcome_done(byref(outcome))
        library.pvf_prepare_outcome_done(byref(prepared))


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    library = load(sys.argv[1])
    workers, data = map(pathlib.Path, sys.argv[2:])
    config = HostConfig(prepare_worker_path=bytes(workers / "pvf-prepare-worker"),
                        execute_worker_path=bytes(workers / "pvf-execute-worker"))
    host, err = c_void_p(), Error()
    check(library.pvf_host_new(byref(config), byref(host), byref(err)), err)
    try:
        read = {name: (data / name).read_bytes() for name in ("code.wasm", "pvd.scale", "block_data.bin")}
        verdict = validate(library, host, read["code.wasm"], read["pvd.scale"], read["block_data.bin"])
    finally:
        library.pvf_host_free(host)
    return 0 if verdict == VALID else 1


if __name__ == "__main__":
    sys.exit(main())
