/* Floating-point control registers, through the C library's fenv_t: no assembler. */
#include "loss/fpmode.h"

#include <fenv.h>

#if defined(__x86_64__)

enum { MXCSR_FLAGS = 0x3f }; /* sticky exception flags: every inexact sum sets them */

uint64_t fpmode_get(void)
{
    fenv_t env;
    fegetenv(&env);
    return (uint64_t)env.__control_word << 32 | (env.__mxcsr & ~(uint32_t)MXCSR_FLAGS);
}

void fpmode_set(uint64_t mode)
{
    fenv_t env;
    fegetenv(&env);
    env.__control_word = (unsigned short)(mode >> 32);
    env.__mxcsr = (uint32_t)mode & ~(uint32_t)MXCSR_FLAGS;
    fesetenv(&env);
}

#elif defined(__aarch64__)

uint64_t fpmode_get(void)
{
    fenv_t env;
    fegetenv(&env);
    return env.__fpcr;
}

void fpmode_set(uint64_t mode)
{
    fenv_t env;
    fegetenv(&env);
    env.__fpcr = (unsigned)mode;
    fesetenv(&env);
}

#else /* what C knows of it: the rounding direction */

uint64_t fpmode_get(void)
{
    return (uint64_t)fegetround();
}

void fpmode_set(uint64_t mode)
{
    fesetround((int)mode);
}

#endif
