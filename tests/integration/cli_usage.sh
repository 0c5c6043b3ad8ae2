#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# cli_usage PVF DATA: command lines and files that are wrong end with status 2 and say why; no
# worker program is needed.
set -u
pvf=$1 data=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# wrong PATTERN ARGUMENT…: the command must end with 2 and print PATTERN on stderr, nothing on
# stdout.
wrong() {
    pattern=$1
    shift
    status=0
    "$pvf" "$@" >"$work/out" 2>"$work/err" || status=$?
    if [ "$status" -ne 2 ] || [ -s "$work/out" ] || ! grep -q -e "$pattern" "$work/err"; then
        echo "FAIL: pvf $*: status $status, wanted 2 and '$pattern'" >&2
        cat "$work/out" "$work/err" >&2
        failed=1
    fi
}

code=$data/adder/code.wasm
pvd=$data/adder/pvd.scale
pov=$data/adder/block_data.bin
params=$data/adder/validation_params.scale
# Programs that exist but are never started.
mkdir "$work/workers"
for kind in prepare execute; do
    printf '#!/bin/sh\nexit 1\n' >"$work/workers/pvf-$kind-worker"
    chmod +x "$work/workers/pvf-$kind-worker"
done
PVF_WORKERS=$work/workers
export PVF_WORKERS

wrong 'no command given'
wrong "no command 'frobnicate'" frobnicate "$code"
for word in cache run replay bench; do
    wrong "'$word' comes first" --json "$word"
done
wrong 'CODE is missing' precheck
wrong 'one file too many' precheck "$code" "$code"
wrong 'unrecognized option' precheck --frobnicate "$code"
wrong '\-\-repeat takes a whole number' precheck --repeat 0 "$code"
wrong '\-\-timeout takes a whole number' precheck --timeout x "$code"
wrong '\-\-bomb-limit takes a whole number' precheck --bomb-limit 4294967296 "$code"
wrong "--kind is 'backing' or 'approval'" validate "$code" --kind dispute --params "$params"
wrong "--metering is 'callee' or 'call-site', not 'both'" precheck "$code" --metering both
wrong 'code that is compiled now' inspect "$code" --metering callee
wrong 'code that is compiled now' validate --artifact "$code" --params "$params" \
    --metering call-site
wrong '--compile-threads is for code that is compiled now' inspect "$code" --compile-threads 2
wrong '\-\-compile-threads takes a whole number from 1 to 16' precheck "$code" --compile-threads 17
wrong 'needs a file for the artifact' prepare "$code"
wrong 'needs one candidate' validate "$code"
wrong 'needs one candidate' validate "$code" --pvd "$pvd"
wrong 'needs one candidate' validate "$code" --pvd "$pvd" --pov "$pov" --params "$params"
wrong 'either CODE or an artifact' validate --params "$params"
wrong 'either CODE or an artifact' validate "$code" --artifact "$code" --params "$params"
wrong 'go with validate only' precheck "$code" --expect "$pvd"
wrong 'go with doctor only' precheck "$code" --prepare-worker "$code"
wrong '64 hex digits' validate "$code" --pvd "$pvd" --pov "$pov" --relay-parent 0x12
wrong 'needs --relay-parent and' validate "$code" --pvd "$pvd" --pov "$pov" \
    --relay-parent "$(printf '%064d' 0)"
wrong 'nothing-there' precheck "$data/nothing-there"
wrong 'nothing-there' validate "$code" --params "$data/nothing-there"

# One byte more than a path may have, with its terminator.
wrong 'a path of 4096 bytes, at most 4095' validate --artifact "$(printf '%04096d' 0)" \
    --params "$params"

# Candidates that are cut, or that the wire cannot carry.
head -c 20 "$params" >"$work/cut"
wrong 'no valid value at byte' validate "$code" --params "$work/cut"
{
    cat "$data/shell-2021/validation_params.scale"
    printf 'x'
} >"$work/long"
wrong '1 bytes follow' validate "$code" --params "$work/long"
head -c 50 "$pvd" >"$work/cut"
wrong 'no valid value at byte' validate "$code" --pvd "$work/cut" --pov "$pov"
printf '\010abx' >"$work/bundle-cut"
: >"$work/bundle-empty"
wrong 'no PersistedValidationData at byte' validate "$code" --bundle "$work/bundle-cut"
wrong 'no PoV at byte 0' validate "$code" --bundle "$work/bundle-empty"

# Executor parameters.
wrong 'even count of hex digits' precheck "$code" --executor-params 0x123
wrong 'no valid value at byte' precheck "$code" --executor-params 0x0400
wrong 'bytes follow' precheck "$code" --executor-params 0x0000
wrong 'JSON line 1' precheck "$code" --executor-params '[{'
wrong 'a JSON list' precheck "$code" --executor-params '{}'
wrong "entry 0: there is no parameter 'Foo'" precheck "$code" --executor-params '["Foo"]'
wrong 'MaxMemoryPages: a whole number' precheck "$code" \
    --executor-params '[{"MaxMemoryPages": 4294967296}]'
wrong 'PvfExecTimeout: ' precheck "$code" --executor-params '[{"PvfExecTimeout": ["Precheck", 1]}]'
wrong 'EnabledHostFunction: ' precheck "$code" \
    --executor-params '[{"EnabledHostFunction": "Foo"}]'

# A prepare worker that refuses an argument, as a node's own does.
mkdir "$work/foreign"
printf '#!/bin/sh\nexit 101\n' >"$work/foreign/polkadot-prepare-worker"
printf '#!/bin/sh\nexit 1\n' >"$work/foreign/polkadot-execute-worker"
chmod +x "$work"/foreign/*
PVF_WORKERS=$work/foreign
wrong 'refused its arguments (exit status 101): only pvf-prepare-worker knows --metering' \
    precheck "$code" --metering call-site
wrong 'refused its arguments (exit status 101): only pvf-prepare-worker knows --compile-threads' \
    prepare "$code" -o "$work/x" --compile-threads 2

PVF_WORKERS=$work
wrong 'holds no pvf-prepare-worker' precheck "$code"

"$pvf" --help | grep -q 'exit status' || failed=1
"$pvf" --version | grep -q '^pvf [0-9]' || failed=1
exit "$failed"
