#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# cli_cache PVF DATA WORKERS PYTHON: the commands of `pvf cache` with a real prepare worker: every
# form of output, every exit code, a damaged artifact, and a cache that somebody else has.
set -u
pvf=$1 data=$2 python=$4
PVF_WORKERS=$3
export PVF_WORKERS
work=$(mktemp -d)
holder=
trap '[ -z "$holder" ] || kill "$holder"; rm -rf "$work"' EXIT
PVF_CACHE=$work/cache
export PVF_CACHE
ours=$PVF_CACHE/pvf-cache
failed=0

complain() {
    echo "FAIL: $1" >&2
    cat "$work/out" "$work/err" >&2
    failed=1
}
# run STATUS ARGUMENT…
run() {
    want=$1
    shift
    status=0
    "$pvf" cache "$@" >"$work/out" 2>"$work/err" || status=$?
    [ "$status" -eq "$want" ] || complain "pvf cache $*: status $status, wanted $want"
}
# says PATTERN, warns PATTERN: in the last output, in the last errors.
says() { grep -q -e "$1" "$work/out" || complain "the output lacks '$1':"; }
warns() { grep -q -e "$1" "$work/err" || complain "the errors lack '$1':"; }
# is EXPRESSION: of the last output as JSON, called j.
is() {
    "$python" -c "import json,sys; j = json.load(open(sys.argv[1])); sys.exit(not ($1))" \
        "$work/out" || complain "not so: $1"
}
# files COUNT: pairs of files in the cache.
files() {
    for kind in pvf meta; do
        count=$(find "$ours" -name "*.$kind" | wc -l)
        [ "$count" -eq "$1" ] || complain "$count files *.$kind, wanted $1"
    done
}

code=$data/adder/code.wasm
shell=$data/shell-2021/code.blob

# Command lines that are wrong.
run 2
warns 'needs a command'
run 2 frobnicate
warns "no command 'cache frobnicate'"
run 2 list --frobnicate
run 2 list --max-size 1
warns 'does not go with this command'
run 2 list "$code"
warns 'one word too many'
run 2 warm
warns 'CODE is missing'
run 2 export 0x0011223344556677
warns 'and a file'
run 2 export zz -o "$work/x"
warns 'is no code hash'
run 2 gc --max-size 10X
warns '\-\-max-size takes a size'
run 2 gc --min-free 99999999999G
run 2 warm "$code" --metering both
run 2 warm "$code" --timeout 0
run 2 warm "$code" --compile-threads 0
run 2 list --cache ''
warns 'no cache folder is given'
status=0
"$pvf" --json cache list >"$work/out" 2>"$work/err" || status=$?
[ "$status" -eq 2 ] || complain "cache after an option: status $status"
warns "'cache' comes first"
run 0 --help
says '^usage: pvf cache'

# Nothing there: looking makes nothing.
run 2 list
warns 'cannot use the cache folder'
run 2 verify
run 2 gc --dry-run
[ ! -e "$PVF_CACHE" ] || complain 'looking made a folder'
mkdir -p "$work/other/pvf-cache"
echo mine >"$work/other/pvf-cache/holiday.pvf"
run 2 gc --cache "$work/other"
warns 'there are files in it'
[ -s "$work/other/pvf-cache/holiday.pvf" ] || complain 'a file of somebody else was touched'

# Warming.
run 0 warm "$code" "$shell"
says '^0xdc1d86e74c12f1af  stored  '
says '^0x62631e64fcf53d18  stored  '
files 2
[ "$(find "$PVF_CACHE" -mindepth 1 -maxdepth 1 | wc -l)" -eq 1 ] ||
    complain 'the host left something behind'
run 0 warm "$code" --json
is 'j["codes"][0]["state"] == "there already"'
files 2
# How many threads make an artifact does not tell in it.
run 0 warm "$code" --json --compile-threads 2
is 'j["codes"][0]["state"] == "there already"'
files 2
# Another build's, other parameters', and a precheck's are others.
run 0 warm "$code" --metering call-site
files 3
run 0 warm "$code" --executor-params '[{"StackLogicalMax": 32768}]'
files 4
run 0 warm "$code" --executor-params '[{"MaxMemoryPages": 4096}]'
says 'there already'
run 0 warm "$code" --precheck
says 'stored'
run 0 warm "$code" --precheck
says 'there already'
files 5
echo 'no wasm at all' >"$work/garbage"
run 1 warm "$work/garbage" "$code" --json
is 'j["codes"][0]["state"] == "invalid" and j["codes"][0]["text"] != ""'
is 'j["codes"][1]["state"] == "there already"'
run 2 warm "$work/nothing-there"
run 3 warm "$shell" --timeout 100 --metering call-site
says 'possibly invalid'
files 5

# Looking.
run 0 list
says '^code hash '
says '^0x62631e64fcf53d18 .* this '
says ' call-site$'
says '^5 artifacts, '
run 0 list --json
is 'len(j["entries"]) == 5 and all(e["state"] == "good" and e["this_cpu"] for e in j["entries"])'
is 'sum(e["prechecked"] for e in j["entries"]) == 1'
is 'j["disk_bytes"] == sum(e["disk_bytes"] for e in j["entries"])'
is 'all(e["size"] <= e["disk_bytes"] and e["code_len"] > 0 for e in j["entries"])'
run 0 verify
says '^5 good, 0 bad'
run 0 verify --json
is 'j["good"] == 5 and j["bad"] == 0'

# Taking one out: it is what the worker wrote.
run 0 export 62631e64 -o "$work/artifact"
says '^checksum '
"$pvf" prepare "$shell" -o "$work/same" >"$work/out" 2>"$work/err" || complain 'prepare'
cmp "$work/artifact" "$work/same" || failed=1
run 0 export 0xDC1D86E7 -o "$work/artifact" --executor-params '[{"StackLogicalMax": 32768}]'
"$pvf" prepare "$code" --executor-params '[{"StackLogicalMax": 32768}]' -o "$work/same" \
    >"$work/out" 2>"$work/err" || complain 'prepare'
cmp "$work/artifact" "$work/same" || failed=1
run 2 export 0x0000000000 -o "$work/artifact"
warns 'no good artifact'
run 2 export 0x1234567 -o "$work/artifact"
warns 'is no code hash'
run 4 export 62631e64 -o "$work/not/there"
warns 'could not be written'

# One bad byte, in an artifact and in a sidecar.
name=$("$pvf" cache list --json | "$python" -c 'import json,sys
print([e["name"] for e in json.load(sys.stdin)["entries"] if e["code_hash"].startswith("0x62")][0])')
printf '\377' | dd of="$ours/$name.pvf" bs=1 seek=1000 conv=notrunc 2>/dev/null
run 0 list
says '^5 artifacts'
run 1 verify
says "^0x62631e64fcf53d18  $name  damaged"
says '^4 good, 1 bad'
run 1 verify --json
is 'j["bad"] == 1 and [e["state"] for e in j["entries"]].count("damaged") == 1'
files 5
run 4 export 62631e64 -o "$work/artifact"
warns 'not good: damaged'
# A miss is prepared again.
run 0 warm "$shell"
says 'stored'
files 5
run 0 verify
name=$("$pvf" cache list --json | "$python" -c 'import json,sys
print([e["name"] for e in json.load(sys.stdin)["entries"] if e["code_hash"].startswith("0x62")][0])')
printf '\377' | dd of="$ours/$name.meta" bs=1 seek=100 conv=notrunc 2>/dev/null
run 0 list
says ' unproven$'
run 1 verify
run 2 export 62631e64 -o "$work/artifact"
run 0 gc
says '^removed 1 artifacts'
files 4

# Collecting.
run 0 gc --dry-run --max-size 0 --json
is 'j["dry_run"] and j["removed"] == 4 and j["kept"] == 0'
files 4
run 0 gc --max-size 1G --min-free 1
says '^removed 0 artifacts (0 B), 4 '
run 0 gc --min-free 999999G
says 'still less free'
files 0
run 0 list --json
is 'j["entries"] == []'

# Somebody else has it.
run 0 warm "$code"
"$python" -c 'import fcntl,os,sys,time
f = open(sys.argv[1], "r+")
fcntl.flock(f, fcntl.LOCK_EX)
f.truncate(0)
f.write("%d\n" % os.getpid())
f.flush()
open(sys.argv[2], "w").write("held")
time.sleep(600)' "$ours/lock" "$work/held" &
holder=$!
while [ ! -s "$work/held" ] && kill -0 "$holder" 2>/dev/null; do
    sleep 0.1
done
run 4 warm "$code"
warns "process $holder (.*) uses the cache"
warns 'heads-up of the code'
run 4 gc
warns 'name another folder'
warns 'keeps within its own limits'
run 0 list
run 0 verify
run 0 gc --dry-run
run 0 export dc1d86e7 -o "$work/artifact"
kill "$holder"
wait "$holder" 2>/dev/null
holder=
run 0 warm "$code"
says 'there already'

# A worker whose build cannot be told.
mkdir "$work/scripts"
for kind in prepare execute; do
    printf '#!/bin/sh\nexec "%s/pvf-%s-worker" "$@"\n' "$PVF_WORKERS" "$kind" \
        >"$work/scripts/pvf-$kind-worker"
    chmod +x "$work/scripts/pvf-$kind-worker"
done
run 2 warm "$code" --workers "$work/scripts"
warns 'is a script'

# Others may write to it: nothing in it counts any more.
chmod 770 "$ours"
run 2 list
warns 'others may write'
exit "$failed"
