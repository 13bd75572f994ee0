#!/usr/bin/env bash
# Installs into an empty directory, moves it, builds a loss outside the tree in the three ways the guide names, and lets
# the installed program load each.   usage: test_install.sh SOURCE_DIR BUILD_DIR CC
set -euo pipefail
source_dir=$1 build_dir=$2 cc=$3

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }

cmake --install "$build_dir" --prefix "$work/first" >"$work/install.log" || { cat "$work/install.log"; fail "install"; }
mv "$work/first" "$work/moved"
prefix=$work/moved
own=$source_dir/tests/install/own_loss.c

for file in bin/gradmill lib/gradmill/losses/mse.so include/gradmill/{loss,loss_math,status,gradmill}.h \
            lib/cmake/gradmill/gradmillConfig.cmake lib/pkgconfig/gradmill.pc; do
    [ -f "$prefix/$file" ] || fail "$file was not installed"
done
for page in "$source_dir"/docs/man/*.1; do
    [ ! -e "$page" ] || [ -f "$prefix/share/man/man1/$(basename "$page")" ] || fail "$page was not installed"
done
for header in "$prefix"/include/gradmill/*.h; do # each stands alone, in C and, but for the author's helpers, everywhere
    "$cc" -std=c17 -Wall -Wextra -Werror -I"$prefix/include" -fsyntax-only -x c "$header" || fail "$header does not stand alone"
done

# 1. CMake
mkdir "$work/by_cmake"
cp "$own" "$work/by_cmake/"
cat >"$work/by_cmake/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(own LANGUAGES C)
find_package(gradmill 0.1 REQUIRED)
gradmill_add_loss(by_cmake own_loss.c)
target_compile_definitions(by_cmake PRIVATE OWN_ID="by_cmake")
END
by_cmake() {
    cmake -S "$work/by_cmake" -B "$work/by_cmake/build" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$cc" &&
        cmake --build "$work/by_cmake/build"
}
by_cmake >"$work/cmake.log" 2>&1 || { cat "$work/cmake.log"; fail "find_package"; }
cp "$work/by_cmake/build/by_cmake.so" "$work/"

# 2. pkg-config
flags=$(PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config --cflags --libs gradmill)
# shellcheck disable=SC2086 # the flags are words
"$cc" -O3 -fPIC -shared -DOWN_ID='"by_pkg_config"' "$own" $flags -o "$work/by_pkg_config.so" || fail "pkg-config"

# 3. the bare line
"$cc" -O3 -fPIC -shared -DOWN_ID='"by_hand"' -I"$prefix/include" "$own" -o "$work/by_hand.so" -lm || fail "cc -shared"

for name in by_cmake by_pkg_config by_hand; do
    symbols=$(nm -D --defined-only "$work/$name.so" | awk '$2 == "T" {print $3}' | sort | tr '\n' ' ')
    [ "$symbols" = "gm_loss_entry_v1 " ] || fail "$name.so exports '$symbols', not gm_loss_entry_v1 alone"
    GRADMILL_LOSS_PATH=$work "$prefix/bin/gradmill" losses "$name" >"$work/out" 2>"$work/err" ||
        { cat "$work/err"; fail "$name is not found by name"; }
    grep -q 'log1p(pred)' "$work/out" || fail "gradmill losses $name does not print the formula"
    "$prefix/bin/gradmill" losses "$work/$name.so" >"$work/out" 2>"$work/err" || { cat "$work/err"; fail "$name.so as a file"; }
done
"$prefix/bin/gradmill" losses mse >"$work/out" || fail "the installed losses are not found"
echo "installed, moved, three losses built outside the tree and loaded"
