#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# contrib_docker SCRIPT: the profile that it makes allows the sandbox's calls, whatever Docker's own
# profile says about clone3, and changes nothing else.
set -u
command -v jq >/dev/null || {
    echo "skipped: jq is not installed"
    exit 77
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/default.json" <<'JSON'
{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1, "syscalls": [
    {"names": ["read", "write"], "action": "SCMP_ACT_ALLOW"},
    {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38,
     "excludes": {"caps": ["CAP_SYS_ADMIN"]}}]}
JSON
"$1" <"$work/default.json" >"$work/pvf.json" || exit 1
jq -e '.defaultAction == "SCMP_ACT_ERRNO" and .defaultErrnoRet == 1
    and .syscalls[0] == {"names": ["read", "write"], "action": "SCMP_ACT_ALLOW"}
    and ([.syscalls[] | select(.names | index("clone3")) | .action] == ["SCMP_ACT_ALLOW"])
    and (["clone", "unshare", "mount", "umount2", "pivot_root"] - .syscalls[1].names == [])' \
    "$work/pvf.json" >/dev/null || {
    cat "$work/pvf.json" >&2
    exit 1
}
