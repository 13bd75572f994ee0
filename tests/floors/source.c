/* The source tree as text. */
#include "floors/source.h"

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "support.h"

#define ANY_MOST ((size_t)1 << 20) /* bytes of a source file */

void source_blank_comments(char *text)
{
    for (char *at = text; (at = strpbrk(at, "/\"'")); at++) {
        if (*at == '"' || *at == '\'') {
            for (char quote = *at++; *at && *at != quote && *at != '\n'; at++)
                at += *at == '\\' && at[1];
            if (!*at)
                return;
        } else if (at[1] == '*' || at[1] == '/') {
            const char *stop = at[1] == '*' ? "*/" : "\n";
            char *end = strstr(at + 2, stop);
            end = end ? end + (at[1] == '*' ? 2 : 0) : at + strlen(at);
            for (; at < end; at++)
                *at = *at == '\n' ? '\n' : ' ';
            at--;
        }
    }
}

/* nftw gives its visitor no argument. */
static struct {
    char root[512];
    source_fn *use;
    size_t files;
} walk;

static int visit(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status, (void)place;
    const char *dot = strrchr(path, '.');
    void *text;
    size_t size;
    if (type != FTW_F || !dot || (strcmp(dot, ".c") != 0 && strcmp(dot, ".h") != 0))
        return 0;
    if (file_read(path, ANY_MOST, &text, &size, NULL) != GM_OK)
        return 1;
    walk.files++;
    walk.use(walk.root, path + strlen(walk.root) + 1, text);
    memory_free(text);
    return 0;
}

size_t source_walk(const char *const *directories, size_t count, source_fn *use)
{
    snprintf(walk.root, sizeof walk.root, "%s", test_source(""));
    walk.root[strlen(walk.root) - 1] = 0;
    walk.use = use;
    walk.files = 0;
    for (size_t i = 0; i < count; i++)
        CU_ASSERT_EQUAL(nftw(test_source(directories[i]), visit, 16, FTW_PHYS), 0);
    return walk.files;
}
