/*
 * The faults of a table of 28 rows, each injected some times. A row is a function that makes cases; the table counts
 * them. GRADMILL_FAULTS=full in the environment injects the full number of cases, otherwise a tenth or so.
 */
#ifndef TESTS_FAULTS_KIT_H
#define TESTS_FAULTS_KIT_H

#include <stdbool.h>
#include <stddef.h>

/* The case that was just tried held, or not: then `format` says what happened. */
void fault_case(bool held, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define CASE(held, ...) fault_case((held), __VA_ARGS__)

bool faults_full(void);
size_t faults_count(size_t reduced, size_t full);
unsigned faults_random(unsigned below); /* the same numbers in every run */

/* A command of the shell in the test directory: its exit code, 128 + signal when it was killed. The program is $G, the
 * plugins of tests $P, the mutants $M, and `faulty CALLS PATH N HOW command...` injects. stderr goes to "err", stdout
 * to "out". */
int faults_run(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool faults_err_holds(const char *part); /* of the last command */
const char *faults_err(void);
/* The same, killed by `number` after so many microseconds; `twice`: and again a little later. */
int faults_run_and_signal(const char *command, int number, unsigned microseconds, bool twice);

/* The same as soon as its stderr holds `part`, or after half a minute. */
int faults_run_and_signal_at(const char *command, int number, const char *part, bool twice);
bool faults_exists(const char *name);

/* `to` becomes a copy of `from`, but for the byte at `at`, which is another. */
void faults_flip(const char *from, const char *to, unsigned at);

/* j.yaml: a training of some tenths of a second that saves a checkpoint each epoch, ref.h5 its model. */
void faults_job(void);
/* How long that takes here, so that instants fall anywhere in it. */
unsigned faults_job_microseconds(void);
/* Remove what a run of j.yaml has written. */
void faults_clean(void);
/* Run j.yaml --resume to its end: true when that succeeds and its model is ref.h5. */
bool faults_resumed_to_the_same(void);

/* ---- the rows ---- */
void row_kill(void);
void row_kill_in_save(void);
void row_power_loss(void);
void row_disk_full(void);
void row_sync_fails(void);
void row_short_writes(void);
void row_no_memory(void);
void row_corrupt(void);
void row_read_error(void);
void row_other_data(void);
void row_not_finite(void);
void row_bad_target(void);
void row_bad_shape(void);
void row_tiny(void);
void row_huge(void);
void row_not_a_plugin(void);
void row_nan_loss(void);
void row_plugin_crash(void);
void row_plugin_hang(void);
void row_plugin_overrun(void);
void row_signals(void);
void row_clock(void);
void row_not_writable(void);
void row_two_runs(void);
void row_many_threads(void);
void row_bad_job(void);
void row_finished(void);
void row_stop_rule(void);

#endif
