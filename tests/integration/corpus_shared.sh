#!/bin/sh
# corpus_shared.sh corpus|vectors PREPARE_WORKER EXECUTE_WORKER: what is too large for this tree, or
# may not be copied into it: all candidates, or every recorded vector.  PVF_SHARED names the
# folder; without it, the build's default.  Exit 77 (skipped) when it is not there.
set -eu
kind=$1 prepare=$2 execute=$3
shared=${PVF_SHARED:-${PVF_SHARED_DEFAULT:-../shared}}
python=${PVF_PYTHON:-python3}
case $kind in
corpus) needed=$shared/corpus/candidates ;;
vectors) needed=$shared/vectors/replay_workers.py ;;
*)
    echo "usage: corpus_shared.sh corpus|vectors PREPARE_WORKER EXECUTE_WORKER" >&2
    exit 2
    ;;
esac
if ! [ -e "$needed" ]; then
    echo "skipped: there is no $needed; name its folder by PVF_SHARED"
    exit 77
fi
if [ "$kind" = corpus ]; then
    exec "$python" "$(dirname "$0")/drive_corpus.py" "$prepare" "$execute" --no-garbage \
        --corpus "$shared/corpus"
fi
# The seed only orders the cases when all of them run.
exec "$python" "$needed" "$prepare" "$execute" 1 1.0
