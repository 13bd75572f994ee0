/* The library's face: its version. */
#include <gradmill/gradmill.h>

const char *gm_version(void)
{
    return GRADMILL_VERSION;
}
