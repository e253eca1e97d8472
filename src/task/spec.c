/* spec.c: see spec.h. */
#include "task/spec.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define JOBS_DIGITS_MAX 9 /* more workers than anyone can have, and exact in a double */

/* One allocation; the newest is the head of the list. */
struct spec_arena {
	struct spec_arena *next;
	_Alignas(max_align_t) char bytes[];
};

void *
spec_alloc(struct spec *spec, size_t bytes)
{
	if (bytes > SIZE_MAX - sizeof(struct spec_arena))
		return NULL;
	struct spec_arena *block = calloc(1, sizeof(*block) + bytes);
	if (block == NULL)
		return NULL;
	block->next = spec->arena;
	spec->arena = block;
	return block->bytes;
}

char *
spec_strdup(struct spec *spec, const char *string)
{
	size_t bytes = strlen(string) + 1;
	char *copy = spec_alloc(spec, bytes);
	if (copy != NULL)
		memcpy(copy, string, bytes);
	return copy;
}

void *
spec_grow(struct spec *spec, void *list, size_t count, size_t element_bytes)
{
	if (count != 0 && (count & (count - 1)) != 0)
		return list;
	size_t capacity = count == 0 ? 1 : 2 * count;
	if (capacity > SIZE_MAX / element_bytes)
		return NULL;
	void *bigger = spec_alloc(spec, capacity * element_bytes);
	if (bigger != NULL && count != 0)
		memcpy(bigger, list, count * element_bytes);
	return bigger;
}

int
spec_add_input(struct spec *spec, const struct spec_input *input)
{
	void *inputs = spec_grow(spec, spec->inputs, spec->input_count, sizeof(*input));
	if (inputs == NULL)
		return -1;
	spec->inputs = inputs;
	spec->inputs[spec->input_count++] = *input;
	return 0;
}

int
spec_add_rpl(struct spec *spec, const char *name, const char *edit)
{
	void *rpls = spec_grow(spec, spec->rpls, spec->rpl_count, sizeof(*spec->rpls));
	if (rpls == NULL)
		return -1;
	spec->rpls = rpls;
	spec->rpls[spec->rpl_count++] = (struct spec_rpl){.name = name, .edit = edit};
	return 0;
}

int
spec_add_output(struct spec *spec, const char *output)
{
	void *outputs =
	    spec_grow(spec, spec->outputs, spec->output_count, sizeof(*spec->outputs));
	if (outputs == NULL)
		return -1;
	spec->outputs = outputs;
	spec->outputs[spec->output_count] = spec_strdup(spec, output);
	return spec->outputs[spec->output_count++] == NULL ? -1 : 0;
}

int
spec_add_env(struct spec *spec, const char *variable)
{
	size_t name_bytes = strcspn(variable, "=") + 1;
	for (size_t i = 0; i < spec->env_count; i++)
		if (strncmp(spec->env[i], variable, name_bytes) == 0) {
			spec->env[i] = variable;
			return 0;
		}
	void *env = spec_grow(spec, spec->env, spec->env_count, sizeof(*spec->env));
	if (env == NULL)
		return -1;
	spec->env = env;
	spec->env[spec->env_count++] = variable;
	return 0;
}

/*
 * The number in `length` digits, with an optional fraction if `takes_fraction`; -1 for
 * anything else.
 */
static double
jobs_number(const char *digits, size_t length, bool takes_fraction)
{
	double number = 0, scale = 1;
	bool is_fraction = false;
	if (length == 0 || length > JOBS_DIGITS_MAX ||
	    !isdigit((unsigned char)digits[length - 1]))
		return -1;
	for (size_t i = 0; i < length; i++) {
		if (digits[i] == '.' && takes_fraction && !is_fraction && i > 0) {
			is_fraction = true;
			continue;
		}
		if (!isdigit((unsigned char)digits[i]))
			return -1;
		number = number * 10 + (digits[i] - '0');
		if (is_fraction)
			scale *= 10;
	}
	return number / scale;
}

int
spec_jobs_parse(struct spec_jobs *jobs, const char *text)
{
	size_t length = strlen(text);
	struct spec_jobs parsed = {.kind = SPEC_JOBS_COUNT};
	if (strcmp(text, "cores") == 0) {
		parsed.kind = SPEC_JOBS_CORES;
	} else if (strcmp(text, "threads") == 0) {
		parsed.kind = SPEC_JOBS_THREADS;
	} else if (text[0] == '+' || text[0] == '-') {
		parsed.kind = SPEC_JOBS_PLUS;
		parsed.value = jobs_number(text + 1, length - 1, false);
	} else if (length > 0 && text[length - 1] == '%') {
		parsed.kind = SPEC_JOBS_PERCENT;
		parsed.value = jobs_number(text, length - 1, true);
	} else {
		parsed.value = jobs_number(text, length, false);
	}
	if (parsed.value < 0 || (parsed.kind == SPEC_JOBS_PERCENT && parsed.value <= 0))
		return -1;
	if (parsed.kind == SPEC_JOBS_COUNT && parsed.value <= 0)
		parsed.kind = SPEC_JOBS_MAX;
	if (text[0] == '-')
		parsed.value = -parsed.value;
	*jobs = parsed;
	return 0;
}

bool
spec_has_time_limits(const struct spec *spec)
{
	return spec->timeout.ns > 0 || spec->timeout.percent > 0 || spec->takes_objects;
}

static void
spec_init_term_steps(struct spec *spec)
{
	static const struct spec_term_step steps[] = {
	    {SIGTERM, 200}, {SIGTERM, 100}, {SIGTERM, 50}, {SIGKILL, 25}};
	spec->term_step_count = sizeof(steps) / sizeof(steps[0]);
	memcpy(spec->term_steps, steps, sizeof(steps));
}

void
spec_init(struct spec *spec, enum spec_dialect dialect)
{
	static const char *const programs[] = {
	    [SPEC_MAP] = "pinion map",     [SPEC_PARALLEL] = "pinion parallel",
	    [SPEC_FEED] = "pinion feed",   [SPEC_CALL] = "pinion call",
	    [SPEC_BENCH] = "pinion bench", [SPEC_RUN] = "pinion run"};
	static const enum spec_executor executors[] = {
	    [SPEC_MAP] = SPEC_SPAWN,   [SPEC_PARALLEL] = SPEC_SPAWN,
	    [SPEC_FEED] = SPEC_COPROC, [SPEC_CALL] = SPEC_PLUGIN,
	    [SPEC_BENCH] = SPEC_SPAWN, [SPEC_RUN] = SPEC_SPAWN};
	bool is_parallel = dialect == SPEC_PARALLEL;
	*spec = (struct spec){
	    .dialect = dialect,
	    .program = programs[dialect],
	    .shell = "/bin/sh",
	    .delimiter = '\n',
	    .trim = SPEC_TRIM_NONE,
	    .group = SPEC_GROUP_ONE,
	    .jobs.kind = is_parallel ? SPEC_JOBS_THREADS : SPEC_JOBS_DEFAULT,
	    .bind = SPEC_BIND_AUTO,
	    .is_ordered = !is_parallel,
	    .executor = executors[dialect],
	    .inflight_count = 1,
	    .jobserver = is_parallel ? SPEC_JOBSERVER_NONE : SPEC_JOBSERVER_JOIN,
	    .output_mode = SPEC_OUTPUT_GROUP,
	    .buffer_bytes = UINT64_C(64) << 20,
	    .window = dialect == SPEC_FEED || dialect == SPEC_CALL ? 100000 : 10000,
	    .max_attempts = 1,
	    .retry_on = SPEC_RETRY_ALL,
	    .halt.when = SPEC_HALT_NEVER,
	};
	spec_init_term_steps(spec);
}

bool
spec_is_recorded(const struct spec *spec)
{
	return spec->joblog != NULL || spec->results != NULL || spec->run_file != NULL;
}

bool
spec_feeds_stage(const struct spec *spec)
{
	return spec->job != NULL && spec->stage_index + 1 < spec->job->stage_count;
}

void
spec_fini(struct spec *spec)
{
	struct spec_arena *block = spec->arena;
	for (size_t i = 0; i < spec->stage_count; i++)
		spec_fini(&spec->stages[i]);
	buf_fini(&spec->job_text);
	buf_fini(&spec->print);
	while (block != NULL) {
		struct spec_arena *next = block->next;
		free(block);
		block = next;
	}
	*spec = (struct spec){0};
}
