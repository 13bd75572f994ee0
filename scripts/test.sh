#!/usr/bin/env bash
# Every check there is, from a bare machine: installs what is missing, builds, tests.
#
#   scripts/test.sh                  all of it
#   scripts/test.sh --quick          release build and its tests only
#   scripts/test.sh SECTION...       some of: format scripts release asan tsan tidy fuzz
#   scripts/test.sh faults           the table of faults, printed; GRADMILL_FAULTS=full: every case, in minutes
#
# tsan runs the tests named in tests/CMakeLists.txt as threaded. A failed section does not stop the others; the exit code
# says whether all passed.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/packages.sh

all=(format scripts release asan tsan tidy fuzz)
jobs=$(nproc)
log_dir=build/test-logs

sources() { find include trainer plugins datasets tests bench -name '*.[ch]' -not -path '*/build/*' | LC_ALL=C sort; }

check_format() {
    sources | xargs clang-format --dry-run --Werror
}

check_scripts() {
    local script
    for script in scripts/*.sh tests/*/*.sh .ci/run; do
        bash -n "$script"
    done
    if command -v shellcheck >/dev/null; then
        shellcheck -x -e SC1091 scripts/*.sh tests/*/*.sh .ci/run
    fi
}

# build_and_test PRESET TARGET [ctest options]
build_and_test() {
    local preset=$1 target=$2
    shift 2
    cmake --preset "$preset" -G Ninja
    cmake --build --preset "$preset" --target "$target"
    ctest --preset "$preset" "$@"
}
check_release() { build_and_test release all; }
check_asan() { build_and_test asan all; }
check_tsan() { build_and_test tsan threaded_tests -L threads; }

# A part of the release section, by itself, with its table.
check_faults() { build_and_test release all -R '^faults/faults$' -V; }

# The sources that are compiled, by the commands they are compiled with (of the release build). Nearly all of the time is
# the analyzer's: it follows a function for 40,000 states and not for 225,000, a fifth of the time.
check_tidy() {
    local pass=--extra-arg=-Xclang
    [ -f build/release/compile_commands.json ] || cmake --preset release -G Ninja
    grep -oh '"file": "[^"]*"' build/release/compile_commands.json | cut -d'"' -f4 | sort -u |
        grep -E "^$PWD/(trainer|plugins|datasets)/" |
        xargs -P "$jobs" -n 4 clang-tidy --quiet --warnings-as-errors='*' "$pass" --extra-arg=-analyzer-config "$pass" \
            --extra-arg=max-nodes=40000 -p build/release
}

# Each fuzzer for a moment; scripts/fuzz.sh 3600 is the real thing.
check_fuzz() { scripts/fuzz.sh 30; }

# Why a section failed: all that its failed tests said, and the end of its log.
show_failure() {
    local log=$1
    {
        awk 'said && (/^ +Start +[0-9]+: / || /^ *[0-9]+\/[0-9]+ Test +#/ || / tests passed, /) { said = 0 }
             / Test +#[0-9]+: .*\*\*\*/ { said = 1 }
             said' "$log" | cut -c 1-400 | tail -n 400
        echo '...'
        tail -n 60 "$log"
    } | sed 's/^/    /'
    echo "    (all of it: $log)"
}

# Runs one section with its output in a file.
section() {
    local name=$1 start=$SECONDS log=$log_dir/$1.log verdict=FAILED
    set +e # not "( ... ) || verdict=": that would switch -e off inside as well
    (
        set -e
        "check_$name"
    ) >"$log" 2>&1
    # shellcheck disable=SC2181 # the subshell must not stand in a condition
    [ $? != 0 ] || verdict=passed
    set -e
    printf '%-10s %-7s %4d s  %s\n' "$name" "$verdict" $((SECONDS - start)) "$(grep -E '^[0-9]+% tests passed' "$log" | tail -1)"
    [ "$name" != faults ] || sed -n 's/^[0-9]*: \( *#  fault .*\| *[0-9]* .* \(passed\|FAILED\) .*\)/\1/p' "$log"
    [ "$verdict" = passed ] || { failed+=("$name"); show_failure "$log"; }
}

case ${1-} in
--help | -h) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 0 ;;
--quick) wanted=(release) ;;
'') wanted=("${all[@]}") ;;
*) wanted=("$@") ;;
esac
for name in "${wanted[@]}"; do
    [[ " ${all[*]} faults " == *" $name "* ]] || { echo "No section '$name'; there are: ${all[*]} faults" >&2; exit 64; }
done

packages_install "$build_packages"
packages_install "$test_packages"
mkdir -p "$log_dir"
failed=()
for name in "${wanted[@]}"; do
    section "$name"
done
if [ ${#failed[@]} -gt 0 ]; then
    echo "FAILED in $SECONDS s: ${failed[*]}"
    exit 1
fi
echo "All passed in $SECONDS s: ${wanted[*]}"
