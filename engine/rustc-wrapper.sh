#!/bin/sh
# rustc-wrapper.sh RUSTC ARGUMENT…: rustc with $PVF_PROFILE_FLAG for the crates that compile Wasm, and
# for no other.  What runs beside a guest is not watched at work, and what a profile does not know
# would count as rarely used.
rustc=$1
shift
crate=
previous=
for argument in "$@"; do
    [ "$previous" != --crate-name ] || crate=$argument
    previous=$argument
done
case $crate in
cranelift_* | regalloc2 | wasmparser | wasmtime_internal_cranelift)
    exec "$rustc" "$@" "$PVF_PROFILE_FLAG"
    ;;
esac
exec "$rustc" "$@"
