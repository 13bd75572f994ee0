/* A shared object that is no plugin; were its code run, the mark would show it. */
#include <stdlib.h>

__attribute__((constructor)) static void run(void)
{
    setenv("GRADMILL_TEST_MARK", "no_symbol ran", 1);
}

__attribute__((visibility("default"))) int something_else(void);
int something_else(void)
{
    return 1;
}
