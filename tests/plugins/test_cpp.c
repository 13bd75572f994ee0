/* A plugin written in C++ keeps every promise a plugin in C keeps. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "plugins/harness.h"
#include "support.h"

static void a_plugin_in_cpp_is_right(void)
{
    char directory[4096];
    const char *build = getenv("GRADMILL_BUILD");
    snprintf(directory, sizeof directory, "%s/tests/cpp/cpp_loss.so", build ? build : ".");
    if (access(directory, R_OK) != 0) {
        printf("\n    no C++ compiler was there: %s is not built, and not tested\n", directory);
        return;
    }
    snprintf(directory, sizeof directory, "%s/tests/cpp", build ? build : ".");
    setenv("GRADMILL_LOSSES", directory, 1);
    const double pred = 3, target = 1;
    harness_check(&(struct subject){.id = "cpp_loss", .targets = 2});
    ASSERT_CLOSE(harness_value(&(struct subject){.id = "cpp_loss", .params = "scale=5"}, &pred, &target), 20, 0);
}

TEST_MAIN("cpp", TEST(a_plugin_in_cpp_is_right))
