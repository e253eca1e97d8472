/*
 * cmd_report.c: pinion report: what a recorded run did: for a terminal, as a page, as a trace, as
 * rows. Reads the run file once for all that is asked for, and writes nothing to it.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cmd.h"
#include "input/option_value.h"
#include "input/request.h"
#include "report/report.h"

#define COLUMNS_MIN 50
#define COLUMNS_MAX 160
#define COLUMNS_DEFAULT 80

enum form { FORM_TEXT, FORM_HTML, FORM_TRACE, FORM_JSON, FORM_CSV, FORMS };

static const struct {
	const char *option;
	report_maker *make;
} forms[FORMS] = {[FORM_TEXT] = {"the summary", report_text_new},
		  [FORM_HTML] = {"--html", report_page_new},
		  [FORM_TRACE] = {"--trace", report_trace_new},
		  [FORM_JSON] = {"--json", report_json_new},
		  [FORM_CSV] = {"--csv", report_csv_new}};

struct job {
	const struct request *request;
	const char *targets[FORMS]; /* NULL: not asked for */
};

/* --- what is asked --- */

/* Each to a place of its own; the summary where nothing else is asked for. */
static int
settle_targets(struct job *job, struct err *err)
{
	bool is_any = false;
	for (int i = 0; i < FORMS; i++)
		is_any |= job->targets[i] != NULL;
	if (!is_any)
		job->targets[FORM_TEXT] = "-";
	for (int i = 0; i < FORMS; i++)
		for (int j = i + 1; j < FORMS; j++)
			if (job->targets[i] != NULL && job->targets[j] != NULL &&
			    strcmp(job->targets[i], job->targets[j]) == 0)
				return err_set(
				    err, ERR_USAGE,
				    "%s and %s cannot both be written to %.200s: "
				    "name a file for one of them",
				    forms[i].option, forms[j].option,
				    strcmp(job->targets[i], "-") == 0 ? "standard output"
								      : job->targets[i]);
	return 0;
}

/* --- the screen --- */

static size_t
screen_columns(void)
{
	struct winsize size;
	const char *variable = getenv("COLUMNS");
	uint64_t columns = 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		columns = size.ws_col;
	else if (variable != NULL && value_count(variable, &columns) == -1)
		columns = 0;
	if (columns == 0)
		columns = COLUMNS_DEFAULT;
	if (columns < COLUMNS_MIN)
		return COLUMNS_MIN;
	return columns > COLUMNS_MAX ? COLUMNS_MAX : (size_t)columns;
}

static bool
is_set(const char *variable)
{
	const char *value = getenv(variable);
	return value != NULL && *value != '\0';
}

/* As the C library chooses the locale for characters, by name alone. */
static bool
is_utf8_locale(void)
{
	static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
	for (size_t i = 0; i < sizeof(variables) / sizeof(*variables); i++) {
		const char *locale = getenv(variables[i]);
		if (locale != NULL && *locale != '\0')
			return strcasestr(locale, "UTF-8") != NULL ||
			       strcasestr(locale, "UTF8") != NULL;
	}
	return false;
}

static struct report_screen
screen_find(void)
{
	const char *term = getenv("TERM");
	bool is_dumb = term == NULL || *term == '\0' || strcmp(term, "dumb") == 0;
	bool is_plain = is_dumb || !isatty(STDOUT_FILENO);
	return (struct report_screen){.columns = screen_columns(),
				      .has_colour = !is_plain && !is_set("NO_COLOR"),
				      .has_blocks = !(is_dumb && isatty(STDOUT_FILENO)) &&
						    is_utf8_locale()};
}

/* --- doing it --- */

static int
write_all(const struct job *job, const struct report_config *config,
	  struct report_out *outs, struct err *err)
{
	struct report_writer *writers[FORMS];
	size_t count = 0;
	int status = 0;
	for (int i = 0; i < FORMS && status == 0; i++) {
		if (job->targets[i] == NULL)
			continue;
		if (report_out_open(&outs[i], job->targets[i], err) == -1) {
			status = -1;
			break;
		}
		writers[count] = forms[i].make(config, &outs[i], err);
		status = writers[count] == NULL ? -1 : 0;
		count += status == 0;
	}
	if (status == 0)
		status = report_run(config, writers, count, err);
	for (int i = 0; i < FORMS && status == 0; i++)
		if (job->targets[i] != NULL)
			status = report_out_finish(&outs[i], err);
	while (count > 0) {
		count--;
		writers[count]->free(writers[count]);
	}
	return status;
}

static int
report(const struct job *job, const sigset_t *stops, struct err *err)
{
	struct report_out outs[FORMS];
	const char *path = job->request->words[0];
	struct report_config config = {.path = path,
				       .shown_max = (size_t)job->request->top,
				       .screen = screen_find(),
				       .stops = stops};
	config.tasks = runfile_tasks_open(path, (int64_t)job->request->run_id, err);
	if (config.tasks == NULL)
		return -1;
	for (int i = 0; i < FORMS; i++)
		outs[i] = (struct report_out){.fd = -1};
	int status = write_all(job, &config, outs, err);
	for (int i = 0; i < FORMS; i++)
		report_out_close(&outs[i]);
	runfile_tasks_close(config.tasks);
	return status;
}

static bool
has_files(const struct job *job)
{
	for (int i = 0; i < FORMS; i++)
		if (job->targets[i] != NULL && strcmp(job->targets[i], "-") != 0)
			return true;
	return false;
}

/* What a signal would leave half written is taken away before it has its effect. */
static int
report_cleanly(const struct job *job, struct err *err)
{
	static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM};
	sigset_t stops, before;
	sigemptyset(&stops);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaddset(&stops, signals[i]);
	signal(SIGXFSZ, SIG_IGN); /* EFBIG says what it was about */
	sigprocmask(SIG_BLOCK, &stops, &before);
	int status = report(job, &stops, err);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return status;
}

static int
report_answer(struct request *request, const struct diag *diag, struct buf *text,
	      struct err *err)
{
	(void)diag;
	(void)text; /* it goes out as it is read */
	struct job job = {.request = request,
			  .targets = {[FORM_HTML] = request->html,
				      [FORM_TRACE] = request->trace,
				      [FORM_JSON] = request->json,
				      [FORM_CSV] = request->csv}};
	if (request->word_count != 1)
		return err_set(err, ERR_USAGE,
			       "write: pinion report RUN.db, the run file of one run or "
			       "several; see --help");
	if (settle_targets(&job, err) == -1)
		return -1;
	return has_files(&job) ? report_cleanly(&job, err) : report(&job, NULL, err);
}

int
cmd_report(int argc, char **argv)
{
	return cmd_request(OPTION_REPORT, argc, argv, report_answer);
}
