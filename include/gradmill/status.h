/*
 * Result codes and the error text that every fallible function of gradmill fills.
 *
 * The codes are the exit codes of the program (BSD's sysexits numbers where one fits), so a code travels
 * unchanged from the function that knows the facts to the shell.
 */
#ifndef GRADMILL_STATUS_H
#define GRADMILL_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

enum gm_code {
    GM_OK = 0,
    GM_USAGE = 64,         /* wrong command line */
    GM_BAD_DATA = 65,      /* the data cannot be used: shape, type, NaN, target outside the loss's domain */
    GM_NO_INPUT = 66,      /* an input file or dataset does not exist */
    GM_BUG = 70,           /* our own mistake */
    GM_SYSTEM = 71,        /* out of memory, operating system error */
    GM_CANNOT_CREATE = 73, /* an output cannot be created; found out before training */
    GM_IO = 74,            /* reading or writing failed */
    GM_INTERRUPTED = 75,   /* interrupted; a durable checkpoint exists: requeue */
    GM_DENIED = 77,        /* permission, or another run holds the output */
    GM_BAD_JOB = 78,       /* the job file */
    GM_DIVERGED = 80,      /* loss or weights not finite; the last good model is kept */
    GM_PLUGIN_LOAD = 81,   /* a plugin cannot be loaded or its ABI does not match */
    GM_PLUGIN_BROKEN = 82, /* a plugin broke its contract */
    GM_PEER_LOST = 83      /* a process of ours was killed: the one that looks at a file first */
};

#define GM_ERROR_TEXT 1024

/* Filled once, where the facts are known: file, dataset, row, expected, found, what to do. */
struct gm_error {
    enum gm_code code;
    char text[GM_ERROR_TEXT]; /* sentences for a person, no trailing newline; "" when code is GM_OK */
};

#ifdef __cplusplus
}
#endif
#endif
