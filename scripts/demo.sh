#!/usr/bin/env bash
# From a bare machine to a trained model: installs what is missing, builds, converts 1,797 handwritten digits to HDF5, trains
# a linear softmax on four fifths of them and evaluates it on the fifth it has never seen.   usage: scripts/demo.sh
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/packages.sh

step() { printf '\n== %s\n' "$*"; }
run() { printf '$ %s\n' "$*" && "$@"; }

step "Packages"
packages_install "$build_packages"
echo "everything needed to build is there"

step "Build"
mkdir -p build
build() { cmake --preset release -G Ninja -DBUILD_TESTING=OFF && cmake --build --preset release --target gradmill; }
if ! build >build/demo-build.log 2>&1; then
    tail -50 build/demo-build.log
    echo "The build failed; build/demo-build.log has all of it." >&2
    exit 70
fi
PATH=$PWD/build/release/bin:$PATH
run gradmill --version

step "Data: every fifth digit is held out"
samples=$PWD/datasets/samples jobs=$PWD/datasets/jobs
mkdir -p build/demo && cd build/demo
awk 'NR == 1 || NR % 5 != 0' "$samples/digits.csv" >train.csv
awk 'NR == 1 || NR % 5 == 0' "$samples/digits.csv" >held_out.csv
run gradmill import train.csv -o train.h5 --target target --quiet
run gradmill import held_out.csv -o held_out.h5 --target target --quiet

step "Train"
run gradmill train "$jobs/digits.yaml"

step "Evaluate on the rows held out"
run gradmill evaluate model.h5 held_out.h5
accuracy=$(gradmill evaluate model.h5 held_out.h5 --json | grep -o '"accuracy": *[0-9.e-]*' | head -1 | grep -o '[0-9.e-]*$')
awk -v a="$accuracy" 'BEGIN { printf "\nAccuracy on held-out digits: %.2f %%\n", 100 * a; exit !(a >= 0.95) }' ||
    { echo "Less than the 95 % that this demo stands for." >&2; exit 1; }
echo "Model and log: build/demo/model.h5, build/demo/log.jsonl. The job: datasets/jobs/digits.yaml"
