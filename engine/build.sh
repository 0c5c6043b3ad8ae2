#!/bin/sh
# build.sh [--version V] [--profiled] [--print-dir | --check-toolchain]: builds the engine wrapper once per machine
# and prints the folder that holds it:
#   lib/libpvf_engine.a  include/  native-libs  LICENSES.txt
# --profiled takes three times as long: the compiler inside is built, watched at work on the codes of
# tests/data, and built again, knowing where its time goes.  It prepares faster, the same artifacts.
# The folder lies in the user's cache, named by a hash of everything that made it: this folder with
# its patches and lock files, the engine's version, the toolchain and the flags (they are set below).
# --print-dir only prints the name; --check-toolchain only tells by its exit code whether there is a
# toolchain to build with.  PVF_CACHE overrides the place of the cache.
set -eu

say() { echo "engine: $*" >&2; }
die() {
    say "$1"
    say "$2"
    exit 1
}

here=$(cd "$(dirname "$0")" && pwd)
version=$(cat "$here/VERSION")
profiled=
print_only=
check_only=
while [ $# -gt 0 ]; do
    case $1 in
    --version)
        version=${2:?--version needs a value}
        shift 2
        ;;
    --profiled)
        profiled=profiled
        shift
        ;;
    --print-dir)
        print_only=1
        shift
        ;;
    --check-toolchain)
        check_only=1
        shift
        ;;
    *)
        echo "usage: build.sh [--version V] [--profiled] [--print-dir | --check-toolchain]" >&2
        exit 2
        ;;
    esac
done
lock=$here/locks/$version.lock
[ -f "$lock" ] || die "there is no lock file for engine version $version" \
    "known versions: $(cd "$here/locks" && echo ./*.lock | sed 's|\./||g; s|\.lock||g')"

# HOME may be unset, or be a build's empty folder; a rustup of this user is used all the same.
login_home=$(getent passwd "$(id -u)" 2>/dev/null | cut -d: -f6) || login_home=
HOME=${HOME:-${login_home:-/nonexistent}}
export HOME
if [ -z "${RUSTUP_HOME-}" ] && [ ! -d "$HOME/.rustup" ] && [ -d "$login_home/.rustup" ]; then
    export RUSTUP_HOME="$login_home/.rustup"
fi

minor() { "$1" --version 2>/dev/null | sed -n 's/^[a-z]* 1\.\([0-9]*\)\..*/\1/p'; }

# A cargo and rustc of at least 1.95, the engine's own demand: from PATH, else rustup's, else where
# Debian's cargo-web and rustc-web put theirs.
find_toolchain() {
    for folder in "" "${CARGO_HOME:-$HOME/.cargo}/bin/" "$login_home/.cargo/bin/" /usr/bin/; do
        cargo_minor=$(minor "${folder}cargo")
        rustc_minor=$(minor "${folder}rustc")
        if [ "${cargo_minor:-0}" -ge 95 ] && [ "${rustc_minor:-0}" -ge 95 ]; then
            [ -z "$folder" ] || PATH=${folder%/}:$PATH
            return
        fi
    done
    die "there are no cargo and rustc of at least version 1.95" \
        "install them: apt-get install cargo-web, or see https://rustup.rs"
}
find_toolchain
[ -z "$check_only" ] || exit 0

toolchain=$(rustc -vV && cargo --version)
host=$(echo "$toolchain" | sed -n 's/^host: //p')
small_code=$here/../tests/data/adder/code.wasm
large_code=$here/../tests/data/shell-2021/code.blob
key=$({
    echo "$version" "$toolchain"
    cd "$here" && find . -type f -exec sha256sum {} + | LC_ALL=C sort -k 2
    [ -z "$profiled" ] || cat "$small_code" "$large_code"
} | sha256sum | cut -c1-24)
cache=${PVF_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}}/pvf/engine
case $cache in
/*) ;;
*) cache=$PWD/$cache ;;
esac
result=$cache/$version-${profiled:+$profiled-}$key
if [ -n "$print_only" ] || [ -f "$result/complete" ]; then
    echo "$result"
    exit 0
fi

for tool in cc cmake flock patch; do
    command -v "$tool" >/dev/null ||
        die "there is no $tool" "install it: apt-get install build-essential cmake util-linux"
done
# What rustc's own LLVM wrote, only its own tool reads.
find_profdata() {
    llvm=$(echo "$toolchain" | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
    for profdata in "$(rustc --print sysroot)/lib/rustlib/$host/bin/llvm-profdata" \
        "llvm-profdata-$llvm"; do
        command -v "$profdata" >/dev/null && return
    done
    die "there is no llvm-profdata of LLVM $llvm, which rustc has" \
        "install it: apt-get install llvm-$llvm, or rustup component add llvm-tools"
}
[ -z "$profiled" ] || find_profdata

mkdir -p "$cache" 2>/dev/null || die "the cache folder $cache cannot be made" \
    "set PVF_CACHE to a folder that can be written"
exec 9>"$cache/lock"
if ! flock -n 9; then
    say "another build is running; waiting for it"
    flock 9
    # From the beginning: it may have made the same, and this folder may have changed meanwhile.
    exec 9>&-
    exec "$here/build.sh" --version "$version" ${profiled:+--profiled}
fi
# It may have ended between the look above and the lock.
if [ -f "$result/complete" ]; then
    echo "$result"
    exit 0
fi

work=$cache/work
rm -rf "$work"
mkdir -p "$work/crate/.cargo"
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
start=$(date +%s)

# Without a cargo home of the user, the downloads live beside the build, until it has succeeded.
if [ -z "${CARGO_HOME-}" ] && [ ! -d "$HOME/.cargo" ]; then
    own_home=$cache/cargo
    CARGO_HOME=$own_home
fi

# Nothing of the caller's environment may change what is built: only what finds the toolchain and
# the network passes.  The flags stand over those of any cargo configuration, and keep the path of
# the cache out of the library.
clean_cargo() {
    env -i PATH="$PATH" HOME="$HOME" ${CARGO_HOME:+"CARGO_HOME=$CARGO_HOME"} \
        ${RUSTUP_HOME:+"RUSTUP_HOME=$RUSTUP_HOME"} \
        ${RUSTUP_TOOLCHAIN:+"RUSTUP_TOOLCHAIN=$RUSTUP_TOOLCHAIN"} \
        ${TMPDIR:+"TMPDIR=$TMPDIR"} ${CARGO_BUILD_JOBS:+"CARGO_BUILD_JOBS=$CARGO_BUILD_JOBS"} \
        ${http_proxy:+"http_proxy=$http_proxy"} ${https_proxy:+"https_proxy=$https_proxy"} \
        ${HTTPS_PROXY:+"HTTPS_PROXY=$HTTPS_PROXY"} ${ALL_PROXY:+"ALL_PROXY=$ALL_PROXY"} \
        ${no_proxy:+"no_proxy=$no_proxy"} ${NO_PROXY:+"NO_PROXY=$NO_PROXY"} \
        ${CARGO_HTTP_PROXY:+"CARGO_HTTP_PROXY=$CARGO_HTTP_PROXY"} \
        ${CARGO_HTTP_CAINFO:+"CARGO_HTTP_CAINFO=$CARGO_HTTP_CAINFO"} \
        ${SSL_CERT_FILE:+"SSL_CERT_FILE=$SSL_CERT_FILE"} \
        ${SSL_CERT_DIR:+"SSL_CERT_DIR=$SSL_CERT_DIR"} \
        CARGO_ENCODED_RUSTFLAGS="--remap-path-prefix=$work=/pvf-engine" CARGO_INCREMENTAL=0 \
        ${profile_flag:+"RUSTC_WRAPPER=$work/rustc-wrapper.sh"} \
        ${profile_flag:+"PVF_PROFILE_FLAG=$profile_flag"} \
        PVF_ENGINE_VERSION="$version" PVF_ENGINE_INCLUDE_OUT="$work/include" cargo "$@"
}

# fail WHAT TODO: keeps the log, since the work folder goes.
fail() {
    cp "$work/log" "$cache/failed.log"
    die "$1" "$2; the whole log: $cache/failed.log"
}

# From here on nothing is read from this folder: it may be edited during the build.
cp -r "$here/src" "$here/include" "$here/build.rs" "$work/crate/"
mkdir -p "$work/patches"
cp "$here/patches/$version"/*.patch "$work/patches/" 2>/dev/null || true
cp "$here/rustc-wrapper.sh" "$here/train.c" "$work/"
[ -z "$profiled" ] || cp "$small_code" "$large_code" "$work/"
sed "s/@ENGINE_VERSION@/$version/" "$here/Cargo.toml.in" >"$work/crate/Cargo.toml"
cp "$lock" "$work/crate/Cargo.lock"
cd "$work/crate"

say "version $version: fetching the crates"
clean_cargo vendor --locked --versioned-dirs vendor >"$work/config" 2>"$work/log" || {
    tail -n 5 "$work/log" >&2
    fail "the crates could not be fetched" \
        "check the network or set https_proxy, or give a prebuilt engine: cmake -DPVF_ENGINE_DIR=…"
}
mv "$work/config" .cargo/config.toml

# A patch's file name is the crate's; the lock names its only version.
for patch in "$work/patches"/*.patch; do
    [ -f "$patch" ] || continue
    crate=$(basename "$patch" .patch)
    folder=$(echo vendor/"$crate"-[0-9]*)
    [ -d "$folder" ] || die "there is no single crate for patches/$version/$crate.patch" "fix the patch's name"
    patch -s -p2 -d "$folder" <"$patch" >"$work/log" 2>&1 ||
        fail "patches/$version/$crate.patch does not apply" "make it anew for engine $version"
    # Cargo compares every file of a vendored crate; only the package's own sum may stay.
    sed -i 's/"files":{[^}]*}/"files":{}/' "$folder/.cargo-checksum.json"
done

# compile FOLDER [FLAG…]: the library, and in the log what it is to be linked with.  FLAG is for the
# outermost crate; what $profile_flag says is for those that compile Wasm (rustc-wrapper.sh).  The
# target is named, though it is the host: a cargo configuration cannot move the output then.
compile() {
    folder=$1
    shift
    clean_cargo rustc --lib --locked --offline --release --crate-type staticlib --target "$host" \
        --target-dir "$folder" -- --print native-static-libs "$@" >"$work/log" 2>&1 || {
        grep -A 12 '^error' "$work/log" | head -n 40 >&2
        fail "the engine did not compile" "the lines above say why, for $(rustc --version)"
    }
    library=$folder/$host/release/libpvf_engine.a
    sed -n 's/^note: native-static-libs: *//p' "$work/log" | tail -n 1 >"$work/native-libs"
    [ -s "$work/native-libs" ] ||
        fail "the compiler did not name the native libraries" "use another toolchain"
}

# Leaves $work/profile: where an engine built for telling so spends its time.
record_profile() {
    say "compiling an engine that is watched (several minutes)"
    profile_flag=-Cprofile-generate
    compile "$work/watched" "$profile_flag"
    # Nothing names the part that writes the profile: the linker must be told to want it.
    # shellcheck disable=SC2046
    cc -O1 -I "$work/include" -I include -o "$work/train" "$work/train.c" \
        -Wl,-u,__llvm_profile_runtime "$library" $(cat "$work/native-libs") >"$work/log" 2>&1 ||
        fail "the program that is to be watched did not build" "the log says why"
    LLVM_PROFILE_FILE=$work/profile.raw "$work/train" "$work/code.wasm" "$work/code.blob" \
        >"$work/log" 2>&1 || fail "the engine did not work while it was watched" "the log says why"
    "$profdata" merge -sparse -o "$work/profile" "$work/profile.raw" >"$work/log" 2>&1 ||
        fail "the profile cannot be read" "the log says why"
    rm -rf "$work/watched"
    profile_flag=-Cprofile-use=$work/profile
}

profile_flag=
[ -z "$profiled" ] || record_profile
say "compiling (several minutes, once per machine)"
compile "$work/target"

out=$work/out
mkdir -p "$out/lib"
mv "$library" "$out/lib/"
mv "$work/include" "$out/include"
cp include/pvf_shim.h "$out/include/"
mv "$work/native-libs" "$out/"
clean_cargo tree --locked --offline -e normal,build --target "$host" --prefix none \
    -f '{p} {l}' >"$work/tree" 2>"$work/log" ||
    fail "the licences could not be listed" "the log says why"
# Two parts are no crates: the C library inside zstd-sys, and the standard library.
zstd=$(sed -n 's/^version = ".*+zstd\.\(.*\)"$/\1/p' Cargo.lock)
{
    sed 's/ (\*)$//; s| (/[^)]*)||' "$work/tree"
    echo "zstd v$zstd (C) BSD-3-Clause"
    echo "std v$(rustc --version | cut -d ' ' -f 2) MIT OR Apache-2.0"
} | LC_ALL=C sort -u >"$out/LICENSES.txt"
touch "$out/complete"
rm -rf "$result" ${own_home:+"$own_home"}
mv "$out" "$result"
say "done in $(($(date +%s) - start)) s: $result"
echo "$result"
