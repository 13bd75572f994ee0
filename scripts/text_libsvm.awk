# Bags of words as libsvm rows, tf-idf: (1 + ln count) * (1 + ln((1 + N) / (1 + df))), each row of length 1.
#
# The file names, in this order: the training texts, then the texts to convert; a line is CLASS<tab>TEXT, lower case, words apart by
# spaces. Variables: min_count (a word must occur in so many training texts), most_words (the most frequent ones are kept), words and
# classes (where the vocabulary and the class names go; equal training texts give equal files).
# Text that is not a word of the vocabulary is left out; a row may be empty.

function line_words(text, counts,    list, n, i) { # counts[word] of the line
    split("", counts)
    n = split(text, list, " ")
    for (i = 1; i <= n; i++)
        if (length(list[i]) > 1)
            counts[list[i]]++
}

# The vocabulary: numbered in the order of the words, so that it is the same in every awk.
function number_words(    word, limit, at, n, command, i) {
    for (word in df)
        if (df[word] >= min_count) {
            at[df[word]]++
            if (df[word] > limit)
                limit = df[word]
        }
    for (i = limit; i >= min_count && n + at[i] <= most_words; i--) # as many of the most frequent as there is room for
        n += at[i]
    least = i + 1
    command = "LC_ALL=C sort > '" words "'"
    for (word in df)
        if (df[word] >= least)
            print word "\t" df[word] | command
    close(command)
    n = 0
    while ((getline word < words) > 0) {
        split(word, at, "\t")
        number[at[1]] = ++n
    }
    close(words)
    command = "LC_ALL=C sort > '" classes "'"
    for (word in class_seen)
        print word | command
    close(command)
    n = 0
    while ((getline word < classes) > 0)
        class_number[word] = n++
    close(classes)
}

BEGIN { FS = "\t" }

FNR == 1 { file++ }

file == 1 {
    line_words($2, counts)
    for (word in counts)
        df[word]++
    class_seen[$1] = 1
    texts++
    next
}

file == 2 && FNR == 1 { number_words() }

file == 2 && ($1 in class_number) {
    line_words($2, counts)
    n = length_2 = 0
    for (word in counts)
        if (word in number) {
            value = (1 + log(counts[word])) * (1 + log((1 + texts) / (1 + df[word])))
            length_2 += value * value
            for (i = n++; i > 0 && index_of[i] > number[word]; i--) { # insert, ascending
                index_of[i + 1] = index_of[i]
                value_of[i + 1] = value_of[i]
            }
            index_of[i + 1] = number[word]
            value_of[i + 1] = value
        }
    row = class_number[$1]
    for (i = 1; i <= n; i++)
        row = row sprintf(" %d:%.7g", index_of[i], value_of[i] / sqrt(length_2))
    print row
}
