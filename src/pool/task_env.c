/* task_env.c: see task_env.h. */
#include "pool/task_env.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/makeflags.h"

#define TASK_ENV_NUMBER_BYTES 24 /* room for any number and its NUL */

static const char *const task_env_thread_names[] = {
    "OMP_NUM_THREADS",  "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS", "NUMEXPR_NUM_THREADS",  "VECLIB_MAXIMUM_THREADS",
};
#define TASK_ENV_THREAD_NAMES \
	(sizeof(task_env_thread_names) / sizeof(*task_env_thread_names))
#define TASK_ENV_OWN_NAMES 10

int
task_env_export(const char *const *variables, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (putenv((char *)(uintptr_t)variables[i]) != 0)
			return -1;
	return 0;
}

static bool
task_env_is_ours(const char *variable)
{
	static const char *const names[] = {
	    "PINION_RUN=",     "PINION_WORKER=",    "PINION_SLOT=",  "PINION_SEQ=",
	    "PINION_ATTEMPT=", "PARALLEL_JOBSLOT=", "PARALLEL_SEQ=", "PARALLEL_PID="};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strncmp(variable, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* In place of which we write our own, where there is a jobserver. */
static bool
task_env_is_makes(const char *variable)
{
	return strncmp(variable, "MAKEFLAGS=", strlen("MAKEFLAGS=")) == 0 ||
	       strncmp(variable, "CARGO_MAKEFLAGS=", strlen("CARGO_MAKEFLAGS=")) == 0;
}

static const char *
task_env_find(char *const *variables, const char *name)
{
	size_t length = strlen(name);
	for (size_t i = 0; variables[i] != NULL; i++)
		if (strncmp(variables[i], name, length) == 0 && variables[i][length] == '=')
			return variables[i] + length + 1;
	return NULL;
}

/* A value that changes gets its place: as many blanks as the longest number needs. First of all. */
static const char *const task_env_places[] = {"PINION_SEQ", "PARALLEL_SEQ",
					      "PINION_ATTEMPT"};
#define TASK_ENV_PLACES (sizeof(task_env_places) / sizeof(*task_env_places))

static int
task_env_write_jobserver(struct buf *strings, char *const *base,
			 const struct task_env_config *config)
{
	const char *auth = config->jobserver_auth;
	const char *makeflags = task_env_find(base, "MAKEFLAGS");
	if (buf_append_str(strings, "MAKEFLAGS=") == -1 ||
	    makeflags_append(strings, makeflags, auth, config->jobserver_jobs) == -1)
		return -1;
	return buf_printf(strings,
			  "%cCARGO_MAKEFLAGS=-j --jobserver-fds=%s --jobserver-auth=%s%c",
			  0, auth, auth, 0);
}

/* All of our strings, one after another, each ended by a NUL. */
static int
task_env_write(struct buf *strings, char *const *base, const struct task_env_config *config)
{
	for (size_t i = 0; i < TASK_ENV_PLACES; i++)
		if (buf_printf(strings, "%s=%*s%c", task_env_places[i],
			       TASK_ENV_NUMBER_BYTES - 1, "", 0) == -1)
			return -1;
	if (buf_printf(strings,
		       "PINION_RUN=%s%cPINION_WORKER=%" PRIu32 "%cPINION_SLOT=%" PRIu32
		       "%cPARALLEL_JOBSLOT=%" PRIu32 "%cPARALLEL_PID=%ld%c",
		       config->run_name, 0, config->worker, 0, config->slot, 0,
		       config->slot, 0, (long)config->coordinator, 0) == -1)
		return -1;
	for (size_t i = 0; config->share > 0 && i < TASK_ENV_THREAD_NAMES; i++)
		if (task_env_find(base, task_env_thread_names[i]) == NULL &&
		    buf_printf(strings, "%s=%zu%c", task_env_thread_names[i],
			       config->share, 0) == -1)
			return -1;
	return config->jobserver_auth == NULL
		   ? 0
		   : task_env_write_jobserver(strings, base, config);
}

static size_t
task_env_count(char *const *variables)
{
	size_t count = 0;
	while (variables[count] != NULL)
		count++;
	return count;
}

static char *
task_env_value_place(const struct task_env *env, const char *name)
{
	assert(env->variables[0] != NULL);
	char *place = strchr(env->variables[0], '=');
	for (size_t i = 0; i < env->count; i++)
		if (strncmp(env->variables[i], name, strlen(name)) == 0)
			place = strchr(env->variables[i], '=');
	return place + 1;
}

int
task_env_init(struct task_env *env, char *const *base, const struct task_env_config *config)
{
	struct buf strings = {0};
	*env = (struct task_env){0};
	size_t most = task_env_count(base) + TASK_ENV_OWN_NAMES + TASK_ENV_THREAD_NAMES + 1;
	env->variables = calloc(most, sizeof(*env->variables));
	if (env->variables == NULL || task_env_write(&strings, base, config) == -1) {
		buf_fini(&strings);
		task_env_fini(env);
		return -1;
	}
	env->owned = strings.bytes;
	for (size_t at = 0; at < strings.length; at += strlen(strings.bytes + at) + 1)
		env->variables[env->count++] = strings.bytes + at;
	for (size_t i = 0; base[i] != NULL; i++)
		if (!task_env_is_ours(base[i]) &&
		    (config->jobserver_auth == NULL || !task_env_is_makes(base[i])))
			env->variables[env->count++] = base[i];
	env->seq = task_env_value_place(env, "PINION_SEQ=");
	env->seq_gnu = task_env_value_place(env, "PARALLEL_SEQ=");
	env->attempt = task_env_value_place(env, "PINION_ATTEMPT=");
	return 0;
}

int
task_env_init_from(struct task_env *env, const char *strings, size_t length,
		   const struct task_env_config *config)
{
	size_t count = 0;
	for (size_t i = 0; i < length; i++)
		count += strings[i] == '\0';
	char **base = calloc(count + 1, sizeof(*base));
	char *copied = malloc(length + 1);
	int status = -1;
	if (base != NULL && copied != NULL) {
		memcpy(copied, strings, length);
		copied[length] = '\0';
		char *at = copied;
		for (size_t i = 0; i < count; at += strlen(at) + 1)
			base[i++] = at;
		status = task_env_init(env, base, config);
	}
	free(base);
	if (status == 0)
		env->copied = copied;
	else
		free(copied);
	return status;
}

void
task_env_fini(struct task_env *env)
{
	free(env->variables);
	free(env->owned);
	free(env->copied);
	*env = (struct task_env){0};
}

void
task_env_set_task(struct task_env *env, uint64_t seq, uint32_t attempt)
{
	snprintf(env->seq, TASK_ENV_NUMBER_BYTES, "%" PRIu64, seq);
	snprintf(env->seq_gnu, TASK_ENV_NUMBER_BYTES, "%" PRIu64, seq + 1);
	snprintf(env->attempt, TASK_ENV_NUMBER_BYTES, "%" PRIu32, attempt);
}

char *const *
task_env_taskless(const struct task_env *env)
{
	return env->variables + TASK_ENV_PLACES;
}

const char *
task_env_get(const struct task_env *env, const char *name)
{
	return task_env_find(env->variables, name);
}
