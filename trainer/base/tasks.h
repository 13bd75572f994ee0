/* What /proc tells of each thread of this process: proc(5). */
#ifndef BASE_TASKS_H
#define BASE_TASKS_H

/* text: what the thread's file holds, its first 511 bytes, ended by a zero; it may be changed. */
typedef void task_fn(void *context, long thread, char *text);

/* use for /proc/self/task/THREAD/name of every thread; one that ends meanwhile is left out. */
void tasks_read(const char *name, task_fn *use, void *context);

#endif
