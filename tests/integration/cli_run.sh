#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# cli_run PVF DATA WORKERS: the commands with real worker programs, every form of input and output,
# and every exit code that can be had on purpose.
set -u
pvf=$1 data=$2/adder
PVF_WORKERS=$3
export PVF_WORKERS
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# run STATUS ARGUMENT…
run() {
    want=$1
    shift
    status=0
    "$pvf" "$@" >"$work/out" 2>"$work/err" || status=$?
    if [ "$status" -ne "$want" ]; then
        echo "FAIL: pvf $*: status $status, wanted $want" >&2
        cat "$work/out" "$work/err" >&2
        failed=1
    fi
}
# says PATTERN: in the last output.
says() {
    grep -q -e "$1" "$work/out" || {
        echo "FAIL: the output lacks '$1':" >&2
        cat "$work/out" >&2
        failed=1
    }
}

code=$data/code.wasm
candidate="--pvd $data/pvd.scale --pov $data/block_data.bin"
expected=$data/expected_result.scale

run 0 precheck "$code"
says 'verdict  *valid'
says 'headroom'
run 0 precheck "$code" --json --repeat 2
says '"verdict": "valid"'
says '"prepare_cpu_us_median"'
run 0 precheck "$code" --executor-params \
    '[{"MaxMemoryPages": 4096}, {"PrecheckingMaxMemory": "2147483648"}, {"PvfExecTimeout": ["Backing", 2500]}]'
echo '[{"maxMemoryPages": "4096"}]' >"$work/params.json"
run 0 precheck "$code" --executor-params "$work/params.json"
run 0 precheck "$code" --executor-params 0x040100100000
echo 'no wasm at all' >"$work/garbage"
run 1 precheck "$work/garbage"
says 'verdict  *invalid'
run 0 prepare "$code" -o "$work/artifact"
[ -s "$work/artifact" ] || failed=1
run 0 precheck "$code" --metering call-site
run 0 prepare "$code" -o "$work/callee" --metering callee
cmp "$work/artifact" "$work/callee" || failed=1
run 0 prepare "$code" -o "$work/threads" --compile-threads 2
cmp "$work/artifact" "$work/threads" || failed=1
run 0 prepare "$code" -o "$work/call-site" --metering call-site
! cmp -s "$work/artifact" "$work/call-site" || failed=1

# shellcheck disable=SC2086
{
    run 0 validate "$code" $candidate --expect "$expected" -o "$work/result"
    says 'head hash  *0x'
    says 'expected result  *equal'
    cmp "$work/result" "$expected" || failed=1
    run 0 validate --artifact "$work/artifact" $candidate --repeat 3 --kind approval
    says 'min .* median .* max .* over 3 runs'
    run 0 validate --artifact "$work/call-site" $candidate --expect "$expected"
    run 0 validate "$code" $candidate --expect "$expected" --metering call-site
    run 5 validate "$code" $candidate --expect "$data/pvd.scale"
    says 'DIFFERS at byte'
    run 1 validate "$work/garbage" $candidate
    run 2 validate "$code" $candidate --expect "$work/nothing-there"
    run 3 validate --artifact "$work/garbage" $candidate
}
# A bundle: SCALE PoV (16 bytes: one length byte) and PersistedValidationData.
{
    printf '\100'
    cat "$data/block_data.bin" "$data/pvd.scale"
} >"$work/bundle"
run 0 validate "$code" --bundle "$work/bundle" --expect "$expected"
run 0 validate "$code" --params "$data/validation_params.scale" --expect "$expected" --tsv
says '^valid	-	[0-9a-f]\{64\}	'
run 1 validate "$code" --params "$data/invalid/wrong-state.params" --json
says '"verdict": "invalid"'
says '"reason": '

# refuses PATTERN WORKER ARGUMENT…: a worker that ends its start over an argument.
refuses() {
    pattern=$1 worker=$2
    shift 2
    status=0
    "$PVF_WORKERS/pvf-$worker" "$worker" --socket-path "$work/none" --worker-dir-path "$work" "$@" \
        >"$work/out" 2>&1 || status=$?
    if [ "$status" -ne 101 ]; then
        echo "FAIL: $worker $*: status $status, wanted 101" >&2
        failed=1
    fi
    says "$pattern"
}
refuses 'Unexpected argument found: --metering' execute-worker --metering call-site
refuses 'value of --metering is callee or call-site, not both' prepare-worker --metering both
refuses 'the --metering argument needs a value' prepare-worker --metering
exit "$failed"
