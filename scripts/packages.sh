#!/usr/bin/env bash
# The packages that gradmill is built and tested with: the one list, read by demo.sh and test.sh.
#
#   scripts/packages.sh          install what is missing to build (Debian 12, Ubuntu 24.04 and later; sudo when not root)
#   scripts/packages.sh test     also what is missing to test
#
# On a system without apt it names what is missing instead. What counts is the probe, not the package: a tool or library
# of your own making is as good.
set -euo pipefail

# package | probe | what it is for
build_packages='
gcc                | command:cc         | the C compiler, with OpenMP: threads of the trainer
libc6-dev          | header:stdio.h     | the C library
cmake              | command:cmake      | the build (3.25 or later)
ninja-build        | command:ninja      | the build, run in parallel
pkgconf            | command:pkg-config | finds the libraries below
libhdf5-dev        | command:h5cc       | HDF5: datasets, models, checkpoints
zlib1g-dev         | pkg:zlib           | deflate, in datasets and in compressed files to import
libdeflate-dev     | pkg:libdeflate     | inflating the chunks of datasets, three times as fast as zlib
libyaml-dev        | pkg:yaml-0.1       | the job file
libjansson-dev     | pkg:jansson        | JSON: the log and --json
nettle-dev         | pkg:nettle         | SHA-256 of plugins
libxxhash-dev      | pkg:libxxhash      | fast checksums of data and models
librandom123-dev   | header:Random123/philox.h | random numbers without state
libcsv-dev         | header:csv.h       | reading CSV
'
test_packages='
libcunit1-dev      | pkg:cunit          | the test programs
clang              | command:clang      | a second compiler, and the thread sanitizer
libclang-rt-dev    | clang-rt:tsan      | the run-time part of the thread sanitizer
libomp-dev         | file:/usr/lib/llvm-*/lib/libarcher.so | OpenMP that the thread sanitizer understands
llvm               | command:llvm-symbolizer | names instead of addresses in the reports of sanitizers
clang-format       | command:clang-format | the layout of the source
clang-tidy         | command:clang-tidy | the linter
'

# Is it there? A header counts when the compiler finds it.
probe() {
    local kind=${1%%:*} what=${1#*:}
    case $kind in
    command) command -v "$what" >/dev/null ;;
    pkg) command -v pkg-config >/dev/null && pkg-config --exists "$what" ;;
    header) command -v cc >/dev/null && echo "#include <$what>" | cc -E -o /dev/null -x c - 2>/dev/null ;;
    file) compgen -G "$what" >/dev/null ;;
    clang-rt) command -v clang >/dev/null && compgen -G "$(clang -print-resource-dir)/lib/*/libclang_rt.$what*" >/dev/null ;;
    *) echo "packages.sh: no probe '$kind'" >&2; exit 70 ;;
    esac
}

# The lines of a list whose probe fails.
missing_of() {
    local package test purpose
    while IFS='|' read -r package test purpose; do
        [ -n "$package" ] || continue
        # shellcheck disable=SC2086 # the blanks around the words go
        probe $test || echo "$package|$purpose"
    done <<<"$1"
}

# packages_install LIST: what is missing of it.
packages_install() {
    local missing names as_root=()
    missing=$(missing_of "$1")
    [ -n "$missing" ] || return 0
    if ! command -v apt-get >/dev/null; then
        echo "These are missing, by their Debian names; install them with this system's package manager:" >&2
        tr '|' ' ' <<<"$missing" >&2
        return 69
    fi
    names=$(cut -d'|' -f1 <<<"$missing" | tr -s ' \n' '  ')
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || { echo "Missing: $names. Install them as root, or install sudo." >&2; return 77; }
        as_root=(sudo)
    fi
    echo "Installing: $names"
    "${as_root[@]}" apt-get update -q=2
    # shellcheck disable=SC2086 # the names are words
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q=2 -y --no-install-recommends $names >/dev/null
    missing=$(missing_of "$1")
    [ -z "$missing" ] || { echo "Still missing after the installation:" >&2; echo "$missing" >&2; return 69; }
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    packages_install "$build_packages"
    [ "${1-}" != test ] || packages_install "$test_packages"
fi
