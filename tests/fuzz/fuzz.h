/* What the fuzzers share: a directory of their own, and what must hold on every input. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gradmill/status.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

/* Success, or a code with a sentence: nothing else ever. */
static inline void require_reason(enum gm_code code, const struct gm_error *err)
{
    require(code == GM_OK || (err->code == code && err->text[0]), "a reason for every failure");
}

/* "<a directory of this process below TMPDIR>/name"; returns path. */
static inline char *in_directory(char path[256], const char *name)
{
    static char directory[200];
    if (!directory[0]) {
        const char *base = getenv("TMPDIR");
        snprintf(directory, sizeof directory, "%s/gradmill-fuzz-XXXXXX", base ? base : "/tmp");
        require(mkdtemp(directory) != NULL, "a directory for files");
    }
    snprintf(path, 256, "%s/%s", directory, name);
    return path;
}

static inline void write_input(const char *path, const uint8_t *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    require(file && fwrite(data, 1, size, file) == size && fclose(file) == 0, "writing the input");
}

#endif
