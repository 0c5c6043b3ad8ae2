#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# consumers HOW CC CMAKE TREE LIBDIR WORKERS DATA: builds the installed examples against the installed library as a
# stranger would, by HOW (pkg-config, pkg-config-static, cmake, cmake-static), and runs them if there are workers.
set -u
how=$1 cc=$2 cmake=$3 tree=$4 libdir=$4/$5 workers=$4/$6 data=$7
examples=$tree/share/doc/pvf/examples
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
fail() {
    echo "FAIL: $*" >&2
    failed=1
}

by_pkg_config() {
    PKG_CONFIG_PATH=$libdir/pkgconfig
    export PKG_CONFIG_PATH
    [ "$(readlink -m "$(pkg-config --variable=workersdir pvf)")" = "$(readlink -m "$workers")" ] ||
        fail "pkg-config names other workers: $(pkg-config --variable=workersdir pvf)"
    flags=$(pkg-config "$@" --cflags --libs pvf) || exit 1
    # The linker would prefer the shared library that lies beside the static one.
    [ $# -eq 0 ] || flags=$(echo "$flags" | sed 's/-lpvf/-l:libpvf.a/')
    for example in poll_loop blocking; do
        # shellcheck disable=SC2086
        "$cc" -Wall -Wextra -Wpedantic -Werror "$examples/$example.c" $flags -o "$work/$example" || exit 1
    done
}

by_cmake() {
    "$cmake" -S "$examples" -B "$work/build" -DCMAKE_C_COMPILER="$cc" -DCMAKE_PREFIX_PATH="$tree" "$@" \
        >"$work/log" 2>&1 || fail "CMake does not configure"
    "$cmake" --build "$work/build" >>"$work/log" 2>&1 || fail "it does not build"
    [ "$failed" -eq 0 ] || {
        cat "$work/log" >&2
        exit 1
    }
    grep -q "Worker programs: .*$(basename "$workers")\$" "$work/log" || fail "pvf_WORKERS_DIR is wrong"
    mv "$work/build/poll_loop" "$work/build/blocking" "$work"
}

case $how in
pkg-config) by_pkg_config ;;
pkg-config-static) by_pkg_config --static ;;
cmake) by_cmake ;;
cmake-static) by_cmake -DPVF_EXAMPLES_STATIC=ON ;;
*) exit 2 ;;
esac

# Linked as was asked for?
for example in poll_loop blocking; do
    needs=$(readelf -dW "$work/$example" | grep -c 'NEEDED.*libpvf\.so')
    case $how in
    *-static) [ "$needs" -eq 0 ] || fail "$example needs the shared library" ;;
    *) [ "$needs" -eq 1 ] || fail "$example does not need the shared library" ;;
    esac
done
if [ ! -x "$workers/pvf-execute-worker" ]; then
    echo "built, not run: there are no workers in this build"
    exit "$failed"
fi

# run NAME WANTED…: the example succeeds, and says every line that is wanted (their order is its own).
LD_LIBRARY_PATH=$libdir
export LD_LIBRARY_PATH
run() {
    example=$1
    shift
    "$work/$example" "$workers/pvf-prepare-worker" "$workers/pvf-execute-worker" "$work/cache" "$data" \
        >"$work/out" 2>"$work/err" || fail "$example: status $?"
    for line in "$@"; do
        grep -q "^$line" "$work/out" || fail "$example did not say '$line'"
    done
    [ "$(wc -l <"$work/out")" -eq $# ] || fail "$example said more, or less"
    [ "$failed" -eq 0 ] || cat "$work/out" "$work/err" >&2
}
run poll_loop 'precheck: accepted$' 'execute: valid' 'other work: done$'
head=36f026a118658eea81a37658b4a7d09ea85c63437a6d5b8b15c5708bd40552b6
run blocking "valid: vote for it; new head $head\$" 'invalid: vote against it: '
exit "$failed"
