/* Would an output replace an input? */
#include "base/file.h"

#include <string.h>
#include <sys/stat.h>

/* "FILE.h5:/group" -> "FILE.h5", unless a file of the whole name exists. */
static bool stat_data(const char *name, struct stat *status)
{
    char file[4096];
    const char *colon = NULL;
    if (stat(name, status) == 0)
        return true;
    for (const char *c = strstr(name, ":/"); c; c = strstr(c + 1, ":/"))
        colon = c;
    if (!colon || (size_t)(colon - name) >= sizeof file)
        return false;
    memcpy(file, name, (size_t)(colon - name));
    file[colon - name] = 0;
    return stat(file, status) == 0;
}

bool file_same(const char *a, const char *b)
{
    struct stat one, two;
    return stat_data(a, &one) && stat_data(b, &two) && one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}
