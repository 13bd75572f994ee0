#!/usr/bin/env bash
# Fuzzes everything that reads what others wrote: job files, formulas, models, checkpoints, datasets, imports.
#
#   scripts/fuzz.sh [SECONDS [TARGET...]]     SECONDS in total, shared by the targets (default 600, all of them)
#
# As many run at a time as there are processors, so that each gets its share of SECONDS times processors.
# Needs clang. A finding ends the run with code 1; its input is left in build/fuzz/found/ and belongs, once mended, among
# the seeds in tests/fuzz/seeds/TARGET. What the fuzzers learn is kept in build/fuzz/corpus/ for the next run.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1-600}
shift || true
[[ $seconds =~ ^[0-9]+$ ]] || { sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 64; }

cmake -S . -B build/fuzz -G Ninja -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG='-g1 -O1' \
    -DGRADMILL_FUZZ=ON >/dev/null
targets=("$@")
if [ ${#targets[@]} = 0 ]; then
    for source in tests/fuzz/fuzz_*.c; do
        name=${source##*/fuzz_}
        targets+=("${name%.c}")
    done
fi
cmake --build build/fuzz --target losses "${targets[@]/#/fuzz_}" >build/fuzz/build.log || { tail -n 40 build/fuzz/build.log; exit 1; }

export OMP_NUM_THREADS=1
# Files of an input live in memory where there is such a place.
if [ -z "${TMPDIR-}" ] && [ -w /dev/shm ]; then export TMPDIR=/dev/shm; fi
scratch=$(mktemp -d)
export TMPDIR=$scratch
trap 'rm -rf "$scratch"' EXIT
mkdir -p build/fuzz/found
jobs=$(env -u OMP_NUM_THREADS nproc) # which looks at that variable
[ "$jobs" -le ${#targets[@]} ] || jobs=${#targets[@]}
share=$((seconds * jobs / ${#targets[@]}))
[ "$share" -gt 0 ] || share=1

# One target; its exit code says whether something was found.
fuzz() {
    local target=$1 share=$2 corpus=build/fuzz/corpus/$1 log=build/fuzz/$1.log
    mkdir -p "$corpus"
    if build/fuzz/bin/"fuzz_$target" -max_total_time="$share" -timeout=25 -rss_limit_mb=4096 -print_final_stats=1 \
        -artifact_prefix="build/fuzz/found/$target-" "$corpus" tests/fuzz/seeds/"$target" >"$log" 2>&1; then
        printf '%-12s nothing found in %4d s, %s inputs\n' "$target" "$share" \
            "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
    else
        printf '%-12s FOUND something: build/fuzz/found/, %s\n%s\n' "$target" "$log" "$(tail -n 30 "$log")"
        return 1
    fi
}
export -f fuzz
# shellcheck disable=SC2016 # for the shells that xargs starts
printf '%s\n' "${targets[@]}" | xargs -P "$jobs" -I {} bash -c 'fuzz "$1" "$2"' fuzz {} "$share" || exit 1
