#!/usr/bin/env bash
# Text: from the descriptions of the packages that apt knows to the section each belongs to. A bag of words, tf-idf, as sparse rows;
# a linear softmax. Every fifth package is held out.   usage: scripts/text_example.sh [DIRECTORY]   (default: build/text)
# MIN_COUNT (3): packages a word must occur in. MOST_WORDS (50000): size of the vocabulary. GRADMILL: the program.
# AVAILABLE: a file that holds what apt-cache dumpavail would say. LEAST (1000): descriptions that are worth a start.
set -euo pipefail
cd "$(dirname "$0")/.."
here=$PWD
gradmill=${GRADMILL:-$PWD/build/release/bin/gradmill}
[[ -x $gradmill ]] || gradmill=$(command -v gradmill) || { echo "No gradmill: build it first (README), or set GRADMILL." >&2; exit 66; }
available=$(realpath "${AVAILABLE:-/dev/null}")
[[ -n ${AVAILABLE:-} ]] || command -v apt-cache >/dev/null || { echo "There is no apt-cache here: this example needs Debian or Ubuntu." >&2; exit 66; }
run() { printf '$ %s\n' "$*" && "$@"; }
mkdir -p "${1:-build/text}" && cd "${1:-build/text}"

# SECTION<tab>words: lower case, everything but letters, digits and + becomes a space; contrib/, non-free/ and the like are dropped.
if [[ -n ${AVAILABLE:-} ]]; then cat "$available"; else LC_ALL=C apt-cache dumpavail; fi | LC_ALL=C awk '
    function finish() {
        if (section != "" && text != "") {
            text = tolower(text)
            gsub(/[^a-z0-9+]+/, " ", text)
            sub(/.*\//, "", section)
            print section "\t" text
        }
        section = text = ""
        inside = 0
    }
    /^$/ { finish(); next }
    /^ / { if (inside) text = text " " $0; next }
    { inside = 0 }
    /^Description(-en)?: / { sub(/^[^:]*: /, ""); text = text " " $0; inside = 1 }
    /^Section: / { section = $2 }
    END { finish() }' | LC_ALL=C sort -u >all.tsv
packages=$(wc -l <all.tsv)
echo "$packages different descriptions"
if ((packages < ${LEAST:-1000})); then
    echo "apt knows too few packages: 'apt-get update' fetches the lists (without network only installed packages are known)." >&2
    exit 66
fi
awk 'NR % 5 != 0' all.tsv >train.tsv
awk 'NR % 5 == 0' all.tsv >held_out.tsv
for part in train held_out; do
    LC_ALL=C awk -f "$here/scripts/text_libsvm.awk" -v min_count="${MIN_COUNT:-3}" -v most_words="${MOST_WORDS:-50000}" \
        -v words=words.txt -v classes=sections.txt train.tsv $part.tsv >$part.libsvm
done
words=$(wc -l <words.txt)
echo "$words words, $(wc -l <sections.txt) sections (words.txt, sections.txt: numbered by line)"
run "$gradmill" import train.libsvm -o train.h5 --feature-names words.txt --class-names sections.txt --quiet
run "$gradmill" import held_out.libsvm -o held_out.h5 --feature-names words.txt --class-names sections.txt --quiet

cat >job.yaml <<'END'
data: {train: train.h5, standardize: false}   # tf-idf rows have length 1
loss: cross_entropy
optimizer: {type: lbfgs, l2: 3.0e-6}
stop: {max_epochs: 150, loss_change: 1.0e-4}
output: {model: model.h5, log: log.jsonl}
END
run "$gradmill" train job.yaml
accuracy=$("$gradmill" evaluate model.h5 held_out.h5 --json | grep -o '"accuracy": *[0-9.e-]*' | head -1 | grep -o '[0-9.e-]*$')
awk -v a="$accuracy" -v n="$(wc -l <held_out.tsv)" 'BEGIN { printf "\nAccuracy on %d held-out packages: %.2f %%\n", n, 100 * a }'
