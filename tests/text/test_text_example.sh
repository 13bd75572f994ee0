#!/usr/bin/env bash
# The text example from end to end on 400 packages of four sections (packages.txt: name, short description and section of
# every seventh package of these sections that Debian 12 has, from `apt-cache dumpavail`).
# usage: test_text_example.sh SOURCE_DIR GRADMILL
set -euo pipefail
source_dir=$1 gradmill=$2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*" >&2; cat "$work/out.txt" >&2; exit 1; }

AVAILABLE=$source_dir/tests/text/packages.txt LEAST=100 MIN_COUNT=2 GRADMILL=$gradmill \
    "$source_dir/scripts/text_example.sh" "$work/text" >"$work/out.txt" 2>&1 || fail "the script"
cd "$work/text"

# Names are in the files, and in the model.
"$gradmill" inspect train.h5 >data.txt
"$gradmill" inspect model.h5 >model.txt
grep -q 'classes *fonts, games, perl, sound' model.txt || fail "the model does not name the sections"
first=$(head -1 words.txt | cut -f1)
for file in data.txt model.txt; do
    grep -q "feature names *$first" $file || fail "$file does not name the words"
done

# Of four sections with equally many packages the same answer for all would be right for about 25 in 100; the words tell more.
accuracy=$(sed -n 's/^Accuracy on .* packages: \([0-9.]*\) %$/\1/p' "$work/out.txt")
awk -v a="$accuracy" 'BEGIN { exit !(a > 60 && a <= 100) }' || fail "accuracy $accuracy"

# Every row has length 1, or no word.
awk '{ sum = 0; for (i = 2; i <= NF; i++) { split($i, pair, ":"); sum += pair[2] ^ 2 }
       if (NF > 1 && (sum < 0.99999 || sum > 1.00001)) bad = 1 } END { exit bad }' train.libsvm || fail "rows of length 1"
echo "accuracy $accuracy %"
