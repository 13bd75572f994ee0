/* The source tree as text, for tests that read it. */
#ifndef TESTS_FLOORS_SOURCE_H
#define TESTS_FLOORS_SOURCE_H

#include <stddef.h>

/* A .c or .h file: its name from the root of the tree, its text, which may be changed. */
typedef void source_fn(const char *root, const char *file, char *text);
/* All below the directories; a CUnit failure when they cannot be read. The number of files. */
size_t source_walk(const char *const *directories, size_t count, source_fn *use);

/* Comments become spaces, so that they may speak of anything. */
void source_blank_comments(char *text);

#endif
