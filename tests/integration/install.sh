#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# install CMAKE BUILD: installs into an empty folder, then runs what came out of it under both names,
# from a folder that knows nothing of the build.
set -u
cmake=$1 build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
fail() {
    echo "FAIL: $*" >&2
    failed=1
}

"$cmake" --install "$build" --prefix "$work/usr" >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    exit 1
}
workers=$work/usr/libexec/pvf
cd / || exit 1

# version NAME WANTED
version() {
    got=$("$workers/$1" --version) || fail "$1 --version: status $?"
    [ "$got" = "$2" ] || fail "$1 says version '$got', wanted '$2'"
}
built=$("$workers/pvf-prepare-worker" --version) || fail "the prepare worker does not run"
[ -n "$built" ] || fail "no version"
for kind in prepare execute; do
    version "pvf-$kind-worker" "$built"
    version "polkadot-$kind-worker" "$built"
    [ "$(readlink "$workers/polkadot-$kind-worker")" = "pvf-$kind-worker" ] ||
        fail "polkadot-$kind-worker is no link to the program beside it"
    [ "$(stat -c %a "$workers/pvf-$kind-worker")" = 755 ] || fail "mode of the $kind worker"
done

# A file beside the programs says which node they belong to; it counts under both names, also
# through a link in a folder of the node's.
echo 1.99.0 >"$workers/pvf-node-version"
chmod 644 "$workers/pvf-node-version"
mkdir -p "$work/usr/lib/polkadot"
for kind in prepare execute; do
    ln -s "$workers/pvf-$kind-worker" "$work/usr/lib/polkadot/polkadot-$kind-worker"
    version "pvf-$kind-worker" 1.99.0
    version "polkadot-$kind-worker" 1.99.0
    version "../../lib/polkadot/polkadot-$kind-worker" 1.99.0
done
chmod 666 "$workers/pvf-node-version"
version polkadot-prepare-worker "$built"
rm "$workers/pvf-node-version"

# The command line finds its workers, and the node's names work with it, too.
unset PVF_WORKERS
check() {
    "$work/usr/bin/pvf" doctor "$@" >"$work/out" 2>&1
    status=$?
    # Not every machine is ready for a secure validator; the trial run passes on all of them.
    [ "$status" -eq 0 ] || [ "$status" -eq 6 ] || fail "pvf doctor $*: status $status"
    grep -q '^trial run *prepared and executed' "$work/out" || {
        cat "$work/out" >&2
        fail "pvf doctor $*: no trial run"
    }
}
check
grep -q "$workers/pvf-execute-worker" "$work/out" || fail "the doctor took other workers"
check --workers "$work/usr/lib/polkadot"
grep -q "polkadot-execute-worker -> $workers/pvf-execute-worker" "$work/out" ||
    fail "the doctor does not say where the link leads"

for file in share/man/man1/pvf.1 share/man/man8/pvf-prepare-worker.8 share/doc/pvf/LICENSE \
    share/doc/pvf/contrib/systemd/polkadot.service.d/pvf.conf; do
    [ -s "$work/usr/$file" ] || fail "$file was not installed"
done
exit "$failed"
