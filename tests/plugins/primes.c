/*
 * primes.c: a plugin that counts primes. A task is a range "FROM TO" (or FROM and TO as two values),
 * and its answer the number of primes in it, FROM and TO included:
 *
 *	seq 1 1000 99001 | awk '{ print $1, $1 + 999 }' | pinion call ./primes.so
 */
#include <pinion-plugin.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static bool
primes_has(uint64_t number)
{
	if (number < 4 || number % 2 == 0)
		return number == 2 || number == 3;
	for (uint64_t divisor = 3; divisor <= number / divisor; divisor += 2)
		if (number % divisor == 0)
			return false;
	return true;
}

/* The number at *text, which moves behind it. False: there is none. */
static bool
primes_number(const char **text, uint64_t *number)
{
	char *end;
	*number = strtoull(*text, &end, 10);
	bool is_number = end != *text;
	*text = end;
	return is_number;
}

static int
primes_task(const struct pinion_task *task, struct pinion_answer *answer)
{
	const char *text = task->in;
	uint64_t from, to, count = 0;
	bool is_range = primes_number(&text, &from);
	if (task->value_count > 1)
		text = task->values[1].bytes;
	if (!is_range || !primes_number(&text, &to))
		return pinion_fail(answer, 2, "not a range of two numbers");
	for (uint64_t number = from; number <= to; number++)
		count += primes_has(number);
	char *line = pinion_reserve(&answer->out, 32);
	if (line == NULL)
		return 1;
	answer->out.length +=
	    (size_t)snprintf(line, 32, "%llu\n", (unsigned long long)count);
	return 0;
}

const struct pinion_plugin pinion_plugin = {
    PINION_PLUGIN_HEAD,  .flags = PINION_PLUGIN_THREAD_SAFE,
    .name = "primes",    .description = "how many primes there are in a range",
    .task = primes_task,
};
