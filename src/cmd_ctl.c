/* cmd_ctl.c: `pinion ctl RUN WHAT`: tells a live run what to do, and says what it answered. */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cmd.h"
#include "input/option_value.h"
#include "input/request.h"
#include "run/control.h"
#include "run/live.h"

struct order {
	const char *name; /* of the run */
	enum control_verb verb;
	uint64_t number; /* 0: none */
	uint64_t stage;  /* 0: none */
};

static int
parse_verb(struct order *order, const char *word, struct err *err)
{
	for (int verb = CONTROL_STATUS + 1; verb < CONTROL_VERBS; verb++)
		if (strcmp(word, control_verb_name((enum control_verb)verb)) == 0) {
			order->verb = (enum control_verb)verb;
			return 0;
		}
	return err_set(
	    err, ERR_USAGE,
	    "%.40s is nothing to tell a run; say jobs N, pause, resume, drain, "
	    "cancel or stop",
	    word);
}

static int
parse_number(struct order *order, const char *word, struct err *err)
{
	const char *name = control_verb_name(order->verb);
	if (order->verb != CONTROL_JOBS && order->verb != CONTROL_CANCEL)
		return err_set(err, ERR_USAGE, "nothing to do with %.40s after %s", word,
			       name);
	char stage[24];
	const char *colon = order->verb == CONTROL_CANCEL ? strchr(word, ':') : NULL;
	const char *number = colon != NULL ? colon + 1 : word;
	snprintf(stage, sizeof(stage), "%.*s", colon != NULL ? (int)(colon - word) : 0,
		 word);
	if (value_count(number, &order->number) == 0 && order->number > 0 &&
	    (colon == NULL || (value_count(stage, &order->stage) == 0 && order->stage > 0)))
		return 0;
	return err_set(err, ERR_USAGE, "%s %.40s: write a number from 1", name, word);
}

static int
parse_words(struct order *order, size_t count, char **words, struct err *err)
{
	if (count < 2)
		return err_set(
		    err, ERR_USAGE,
		    "write the name of a run and what it is to do; see --help");
	order->name = words[0];
	if (parse_verb(order, words[1], err) == -1)
		return -1;
	if (count > 3)
		return err_set(err, ERR_USAGE, "nothing to do with %.40s; see --help",
			       words[3]);
	if (count == 3)
		return parse_number(order, words[2], err);
	if (order->verb == CONTROL_JOBS)
		return err_set(err, ERR_USAGE, "jobs needs a number of workers");
	return 0;
}

static void
write_request(const struct order *order, char *line, size_t line_bytes)
{
	const char *name = control_verb_name(order->verb);
	if (order->number == 0)
		snprintf(line, line_bytes, "{\"do\":\"%s\"}\n", name);
	else if (order->stage > 0)
		snprintf(line, line_bytes,
			 "{\"do\":\"%s\",\"seq\":%" PRIu64 ",\"stage\":%" PRIu64 "}\n",
			 name, order->number, order->stage);
	else
		snprintf(line, line_bytes, "{\"do\":\"%s\",\"%s\":%" PRIu64 "}\n", name,
			 order->verb == CONTROL_JOBS ? "count" : "seq", order->number);
}

static int
describe_cancel(const struct order *order, double count, struct buf *text)
{
	if (order->number == 0)
		return buf_printf(text, "%s: tasks cancelled: %.0f\n", order->name, count);
	if (order->stage == 0)
		return buf_printf(text, "%s: task %" PRIu64 " is cancelled\n",
				  order->name, order->number);
	return buf_printf(text, "%s: task %" PRIu64 ":%" PRIu64 " is cancelled\n",
			  order->name, order->stage, order->number);
}

/* What a person reads when it was done. */
static int
describe(const struct order *order, const cJSON *reply, struct buf *text)
{
	const cJSON *count = cJSON_GetObjectItemCaseSensitive(
	    reply, order->verb == CONTROL_JOBS ? "jobs" : "cancelled");
	double number = cJSON_IsNumber(count) ? count->valuedouble : 0;
	switch (order->verb) {
	case CONTROL_JOBS:
		return buf_printf(text, "%s: %.0f at once from now on\n", order->name,
				  number);
	case CONTROL_PAUSE:
		return buf_printf(text, "%s: paused; what runs goes on\n", order->name);
	case CONTROL_RESUME:
		return buf_printf(text, "%s: goes on\n", order->name);
	case CONTROL_DRAIN:
		return buf_printf(text, "%s: starts nothing more\n", order->name);
	case CONTROL_CANCEL:
		return describe_cancel(order, number, text);
	case CONTROL_STOP:
		return buf_printf(text, "%s: is ending its tasks\n", order->name);
	case CONTROL_STATUS:
	case CONTROL_VERBS:
		break;
	}
	return 0;
}

/* What came back, in words: on stdout if it was done. */
static int
read_reply(const struct order *order, const struct live_run *run, struct buf *text,
	   struct err *err)
{
	cJSON *reply = run->has_replied ? cJSON_Parse(run->reply.bytes) : NULL;
	const cJSON *error = cJSON_GetObjectItemCaseSensitive(reply, "error");
	int status;
	if (!run->has_replied && run->fd == -1 && run->pid != 0)
		status = err_set(err, ERR_REFUSED, "%s has just ended", order->name);
	else if (!run->has_replied)
		status = err_set(err, ERR_REFUSED,
				 "%s (pid %d) does not answer; it may do this yet, once "
				 "it goes on",
				 order->name, (int)run->pid);
	else if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(reply, "ok")))
		status = describe(order, reply, text) == -1 ? err_no_memory(err) : 0;
	else
		status = err_set(err, ERR_REFUSED, "%s: %.300s", order->name,
				 cJSON_IsString(error) ? error->valuestring
						       : "it makes no sense");
	cJSON_Delete(reply);
	return status;
}

static int
tell(const struct order *order, struct buf *text, struct err *err)
{
	char line[128];
	struct live live;
	write_request(order, line, sizeof(line));
	if (live_open(&live, order->name, err) == -1)
		return -1;
	int status = live_ask(&live, line, err);
	if (status == 0 && live.count == 0)
		status = err_set(err, ERR_REFUSED,
				 "no run of yours is called %.60s now; pinion status has "
				 "those there are",
				 order->name);
	if (status == 0)
		status = read_reply(order, &live.runs[0], text, err);
	live_close(&live);
	return status;
}

static int
ctl_answer(struct request *request, const struct diag *diag, struct buf *text,
	   struct err *err)
{
	struct order order = {0};
	(void)diag;
	if (parse_words(&order, request->word_count, request->words, err) == -1)
		return -1;
	return tell(&order, text, err);
}

int
cmd_ctl(int argc, char **argv)
{
	return cmd_request(OPTION_CTL, argc, argv, ctl_answer);
}
