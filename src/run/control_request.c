/* control_request.c: see control_request.h. */
#include "run/control_request.h"

#include <cjson/cJSON.h>
#include <string.h>

#define REQUEST_NUMBER_MAX 9007199254740992.0 /* 2^53: further a double has gaps */

/* What the members of a request are called, and which of them is its number. */
static const struct {
	const char *name;
	const char *number; /* NULL: it has none */
	bool needs_number;
} request_verbs[CONTROL_VERBS] = {
    [CONTROL_STATUS] = {"status", NULL, false},
    [CONTROL_JOBS] = {"jobs", "count", true},
    [CONTROL_PAUSE] = {"pause", NULL, false},
    [CONTROL_RESUME] = {"resume", NULL, false},
    [CONTROL_DRAIN] = {"drain", NULL, false},
    [CONTROL_CANCEL] = {"cancel", "seq", false},
    [CONTROL_STOP] = {"stop", NULL, false},
};

const char *
control_verb_name(enum control_verb verb)
{
	return request_verbs[verb].name;
}

static int
request_set_verb(struct control_request *request, const cJSON *word, struct err *err)
{
	if (!cJSON_IsString(word))
		return err_set(err, ERR_USAGE,
			       "a request is an object with a string \"do\"");
	for (int verb = 0; verb < CONTROL_VERBS; verb++)
		if (strcmp(word->valuestring, request_verbs[verb].name) == 0) {
			request->verb = (enum control_verb)verb;
			return 0;
		}
	return err_set(err, ERR_USAGE, "there is no request %.40s", word->valuestring);
}

/* -1: it is there, but no whole number from 1. */
static int
request_read_number(const cJSON *object, const char *name, uint64_t *number)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);
	if (value == NULL)
		return 0;
	if (!cJSON_IsNumber(value) || value->valuedouble < 1 ||
	    value->valuedouble > REQUEST_NUMBER_MAX ||
	    value->valuedouble != (double)(uint64_t)value->valuedouble)
		return -1;
	*number = (uint64_t)value->valuedouble;
	return 0;
}

static int
request_set_numbers(struct control_request *request, const cJSON *object, struct err *err)
{
	const char *name = request_verbs[request->verb].number;
	if (name == NULL)
		return 0;
	if (request_read_number(object, name, &request->number) == -1 ||
	    (request->number == 0 && request_verbs[request->verb].needs_number))
		return err_set(err, ERR_USAGE, "%s needs \"%s\", a whole number from 1",
			       request_verbs[request->verb].name, name);
	request->has_number = request->number > 0;
	if (request_read_number(object, "stage", &request->stage) == -1)
		return err_set(err, ERR_USAGE, "\"stage\" is a whole number from 1");
	return 0;
}

int
control_request_parse(struct control_request *request, const char *line, size_t length,
		      struct err *err)
{
	*request = (struct control_request){0};
	const char *end = NULL;
	while (length > 0 && strchr(" \t\r", line[length - 1]) != NULL)
		length--;
	cJSON *object = cJSON_ParseWithLengthOpts(line, length, &end, 0);
	int status = 0;
	if (!cJSON_IsObject(object) || end != line + length)
		status = err_set(err, ERR_USAGE, "a request is one JSON object in a line");
	if (status == 0)
		status = request_set_verb(
		    request, cJSON_GetObjectItemCaseSensitive(object, "do"), err);
	if (status == 0)
		status = request_set_numbers(request, object, err);
	if (status == 0)
		request->wants_workers =
		    cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, "workers"));
	cJSON_Delete(object);
	return status;
}
