/* What -ffast-math links in: a constructor that flushes denormals to zero for the whole process. */
#include <fenv.h>

#include "common.h"

__attribute__((constructor)) static void set_mode(void)
{
#if defined(__x86_64__)
    fenv_t env;
    fegetenv(&env);
    env.__mxcsr |= 0x8040;
    fesetenv(&env);
#else
    fesetround(FE_TOWARDZERO);
#endif
}

GM_LOSS_PLUGIN(.id = "fast_math", .evaluate = squared)
