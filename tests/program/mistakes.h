/*
 * Mistakes that people make, a row each: the command, the exit code it leaves with and what it says. The codes are
 * those of gradmill(1). What other tests of a room provoke and read is not repeated in these tables.
 */
#ifndef TESTS_PROGRAM_MISTAKES_H
#define TESTS_PROGRAM_MISTAKES_H

#include <stddef.h>

#include "support.h"

struct mistake {
    const char *command; /* of a shell in the test directory; $G is the program */
    int code;
    const char *says;
};

/* All of a table, on the files of mistakes.c: d.h5 of several groups, a linear model m.h5, a factorization f.h5. */
void mistakes_check(const struct mistake *mistakes, size_t count);
#define CHECK(mistakes) mistakes_check((mistakes), sizeof(mistakes) / sizeof *(mistakes))

void mistakes_prepare(void);

#define TRAIN "$G train j.yaml -q --set output.model=none.h5 "
#define RATE  "$G train f.yaml -q --set output.model=none.h5 "

#endif
