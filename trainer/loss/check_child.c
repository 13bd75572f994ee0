/* The child side of a check: verdicts, and what to say when the plugin crashes. */
#include "loss/check_kit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/memory.h"

#ifndef GRADMILL_SANITIZED
#define GRADMILL_SANITIZED 0
#endif

/* A signal handler can only be told through a global: whose child this is. Set once, before any plugin code runs. */
static struct check *current;

static noreturn void finish(struct check *c, enum check_verdict verdict, const char *format, va_list args)
{
    vsnprintf(c->shared->text, sizeof c->shared->text, format, args);
    c->shared->verdict = verdict;
    if (c->escape)
        longjmp(*c->escape, 1);
    _exit(0);
}

noreturn void check_fail(struct check *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    finish(c, CHECK_FAILED, format, args);
}

noreturn void check_skip(struct check *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    finish(c, CHECK_SKIPPED, format, args);
}

noreturn void check_stop(struct check *c, const struct gm_error *err)
{
    c->shared->stop = *err;
    c->shared->verdict = CHECK_SKIPPED;
    _exit(0);
}

void check_warn(struct check *c, const char *format, ...)
{
    va_list args;
    if (c->shared->text[0])
        return;
    va_start(args, format);
    vsnprintf(c->shared->text, sizeof c->shared->text, format, args);
    va_end(args);
}

/* ---- memory ---- */

struct block {
    struct block *next;
    void *bytes;
};

static _Noreturn void no_memory(struct check *c, const struct gm_error *err)
{
    c->shared->no_memory = true;
    check_fail(c, "%s", err->text);
}

void *check_memory(struct check *c, size_t count, size_t size)
{
    void *block, *bytes;
    struct gm_error err = {0};
    if (memory_alloc(&block, 1, sizeof(struct block), "a check", &err))
        no_memory(c, &err);
    *(struct block *)block = (struct block){.next = c->blocks};
    c->blocks = block;
    if (memory_alloc(&bytes, count, size, "a check", &err))
        no_memory(c, &err);
    ((struct block *)block)->bytes = bytes;
    return bytes;
}

void check_memory_release(struct check *c)
{
    for (struct block *b = c->blocks, *next; b; b = next) {
        next = b->next;
        memory_free(b->bytes);
        memory_free(b);
    }
    c->blocks = NULL;
}

/* ---- crashes ---- */

/* "beyond the end of grad". NULL: the address is near no buffer. */
static const char *near_buffer(const struct check *c, const unsigned char *address, enum check_buffer *which)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < BUFFER_COUNT; i++) {
        const struct guarded *b = &c->buffers[i];
        if (!b->map || address < b->map - page || address >= b->map + b->room + page)
            continue;
        *which = (enum check_buffer)i;
        return address < b->map ? "before the start of" : address >= b->map + b->room ? "beyond the end of" : "inside";
    }
    return NULL;
}

static const char *access_word(const ucontext_t *context)
{
#if defined(__x86_64__)
    return context->uc_mcontext.gregs[REG_ERR] & 2 ? "wrote" : "read";
#else
    (void)context;
    return "read or wrote";
#endif
}

static void describe_fault(const struct check *c, const siginfo_t *info, const ucontext_t *context, char *text,
                           size_t size)
{
    enum check_buffer which = BUFFER_COUNT;
    const unsigned char *address = info->si_addr;
    const char *where = near_buffer(c, address, &which), *did = access_word(context);
    if (where && strcmp(where, "inside") == 0)
        snprintf(text, size, "%s %s into %s, which is read-only.", c->shared->doing, did, buffer_name(which));
    else if (where)
        snprintf(text, size, "%s %s %s %s (this call: %zu outputs, %zu targets%s).", c->shared->doing, did, where,
                 buffer_name(which), c->shape.outputs, c->shape.targets,
                 c->buffers[which].is_unwanted ? "; that output was not asked for, its pointer is NULL" : "");
    else if ((size_t)address < 65536)
        snprintf(
            text, size,
            "%s %s through a NULL pointer (offset %zu). Outputs that are not asked for are NULL, and so may be weight, "
            "group and scratch.",
            c->shared->doing, did, (size_t)address);
    else if (c->shared->is_pure_call && strcmp(did, "read") != 0)
        snprintf(text, size,
                 "%s writes to memory of its own at %p: a static or global variable, or the instance. Many threads "
                 "call it at "
                 "once; what a call needs belongs on the stack or in scratch.",
                 c->shared->doing, info->si_addr);
    else
        snprintf(text, size, "%s %s at %p, which is none of the buffers it was given.", c->shared->doing, did,
                 info->si_addr);
}

static void on_crash(int signal, siginfo_t *info, void *context)
{
    struct check *c = current;
    char text[CHECK_TEXT / 2];
    if (signal == SIGSEGV || signal == SIGBUS)
        describe_fault(c, info, context, text, sizeof text);
    else
        snprintf(text, sizeof text, "%s ended with the signal \"%s\".", c->shared->doing, strsignal(signal));
    snprintf(c->shared->text, sizeof c->shared->text, "crash: %s", text);
    c->shared->verdict = CHECK_FAILED;
    _exit(0);
}

/* What a plugin prints is not part of the report. The sanitizers' words are. */
static void be_silent(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return;
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
#if !GRADMILL_SANITIZED
    dup2(null, STDERR_FILENO);
#endif
    close(null);
}

static void on_time(int signal)
{
    struct check *c = current;
    (void)signal;
    snprintf(c->shared->text, sizeof c->shared->text, "%s did not return: it used all the processor time of a check.",
             c->shared->doing);
    c->shared->verdict = CHECK_FAILED;
    _exit(0);
}

void check_child_begin(struct check *c, double cpu_seconds)
{
    static unsigned char stack[65536]; /* a plugin that overflows the stack is answered too */
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
    current = c;
    c->shared->doing = "loading";
    setpgid(0, 0);
    be_silent();
    sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL);
    struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    /* Processor time, not the clock: a busy machine does not make a loss slow. */
    sigaction(SIGPROF, &(struct sigaction){.sa_handler = on_time, .sa_flags = SA_ONSTACK}, NULL);
    long microseconds = (long)(1e6 * cpu_seconds);
    setitimer(ITIMER_PROF,
              &(struct itimerval){.it_value = {.tv_sec = microseconds / 1000000, .tv_usec = microseconds % 1000000}},
              NULL);
}
