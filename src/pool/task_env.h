/*
 * task_env.h: the environment of a worker's tasks.
 *
 * Built once per worker: the caller's variables, those that say which worker this is, and
 * places for those that differ from task to task, whose values are written in place.
 * Variables a user had set win for OMP_NUM_THREADS and its family only.
 *
 *   PINION_RUN, PINION_WORKER, PINION_SLOT, PARALLEL_JOBSLOT, PARALLEL_PID   once
 *   PINION_SEQ (from 0), PINION_ATTEMPT, PARALLEL_SEQ (from 1)               each task
 *   MAKEFLAGS with our jobserver beside what was in it, CARGO_MAKEFLAGS      where there is one
 */
#ifndef PINION_TASK_ENV_H
#define PINION_TASK_ENV_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct task_env {
	char **variables; /* NULL-terminated: for execve */
	size_t count;
	char *owned; /* the strings made here */
	char *seq;   /* where the values of a task go */
	char *seq_gnu;
	char *attempt;
	char *copied; /* a copy of the base strings when they came from an initializer */
};

struct task_env_config {
	const char *run_name;
	uint32_t worker;
	uint32_t slot; /* from 1 */
	pid_t coordinator;
	size_t share;               /* hardware threads a task may use; 0: say nothing */
	const char *jobserver_auth; /* as makeflags_append takes it; NULL: none of ours */
	size_t jobserver_jobs;
};

/*
 * What a job adds goes into this process's own environment, before all else: what runs before
 * the first task sees it too. The strings, NAME=VALUE, must stay. 0, -1 without memory.
 */
int task_env_export(const char *const *variables, size_t count);

/* `base` is NULL-terminated and must live as long as the result. 0, -1 without memory. */
int task_env_init(struct task_env *env, char *const *base,
		  const struct task_env_config *config);

/* The same from NAME=VALUE strings in a row, each ended by a NUL, as env -0 prints them. */
int task_env_init_from(struct task_env *env, const char *strings, size_t length,
		       const struct task_env_config *config);
void task_env_fini(struct task_env *env);

void task_env_set_task(struct task_env *env, uint64_t seq, uint32_t attempt);

/* The same without what says which task it is: for what runs before the first one. */
char *const *task_env_taskless(const struct task_env *env);

/* Value of a variable, NULL when unset. */
const char *task_env_get(const struct task_env *env, const char *name);

#endif
