/* limits.c: see limits.h. */
#include "record/limits.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static const struct limit {
	const char *name;
	int resource;
} limits[] = {
    {"as", RLIMIT_AS},         {"core", RLIMIT_CORE},   {"cpu", RLIMIT_CPU},
    {"data", RLIMIT_DATA},     {"fsize", RLIMIT_FSIZE}, {"memlock", RLIMIT_MEMLOCK},
    {"nofile", RLIMIT_NOFILE}, {"nproc", RLIMIT_NPROC}, {"stack", RLIMIT_STACK},
};

static int
append_value(struct buf *json, rlim_t value, char end)
{
	return value == RLIM_INFINITY ? buf_printf(json, "null%c", end)
				      : buf_printf(json, "%ju%c", (uintmax_t)value, end);
}

int
limits_append(struct buf *json)
{
	char before = '{';
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		struct rlimit limit;
		if (getrlimit((__rlimit_resource_t)limits[i].resource, &limit) == -1)
			continue;
		if (buf_printf(json, "%c\"%s\":[", before, limits[i].name) == -1 ||
		    append_value(json, limit.rlim_cur, ',') == -1 ||
		    append_value(json, limit.rlim_max, ']') == -1)
			return -1;
		before = ',';
	}
	return before == '{' ? buf_append_str(json, "{}") : buf_append_char(json, '}');
}

void
limits_apply(const char *json)
{
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		char key[32];
		struct rlimit limit;
		__rlimit_resource_t resource = (__rlimit_resource_t)limits[i].resource;
		snprintf(key, sizeof(key), "\"%s\":[", limits[i].name);
		const char *at = strstr(json, key);
		if (at == NULL || getrlimit(resource, &limit) == -1)
			continue;
		at += strlen(key);
		rlim_t soft = *at == 'n' ? RLIM_INFINITY : (rlim_t)strtoumax(at, NULL, 10);
		limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
		setrlimit(resource, &limit);
	}
}
