/*
 * cmd_report.c: pinion report: what a recorded run did: for a terminal, as a page, as a trace, as
 * rows. Reads the run file once for all that is asked for, and writes nothing to it.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/io.h"
#include "cmd.h"
#include "input/option_value.h"
#include "report/report.h"

#define COLUMNS_MIN 50
#define COLUMNS_MAX 160
#define COLUMNS_DEFAULT 80
#define SHOWN_DEFAULT 10
#define SHOWN_MAX 10000

enum form { FORM_TEXT, FORM_HTML, FORM_TRACE, FORM_JSON, FORM_CSV, FORMS };

static const struct {
	const char *option;
	report_maker *make;
} forms[FORMS] = {[FORM_TEXT] = {"the summary", report_text_new},
		  [FORM_HTML] = {"--html", report_page_new},
		  [FORM_TRACE] = {"--trace", report_trace_new},
		  [FORM_JSON] = {"--json", report_json_new},
		  [FORM_CSV] = {"--csv", report_csv_new}};

struct request {
	bool wants_help;
	bool wants_version;
	const char *path;
	uint64_t run_id;            /* 0: the last one */
	const char *targets[FORMS]; /* NULL: not asked for */
	uint64_t shown_max;
};

static const char help[] =
    "usage: pinion report [OPTION]... RUN.db\n"
    "\n"
    "Tells what a recorded run (--run-file) did: what failed, why and how to run it "
    "again,\n"
    "what took longest, and where the time went. Without options, on the terminal.\n"
    "\n"
    "      --html FILE    one page with everything, for a browser; needs no network\n"
    "      --trace FILE   trace events, for ui.perfetto.dev or chrome://tracing\n"
    "      --json[=FILE]  a JSON object a line for each task, as of map --json\n"
    "      --csv[=FILE]   a row for each task\n"
    "      --run ID       that run of the file; else its last one\n"
    "  -n, --top N        tell of so many failed and slowest tasks; else 10\n"
    "  -h, --help         this text\n"
    "  -V, --version      the version of pinion\n"
    "\n"
    "A FILE of - is standard output. Files are there whole or not at all.\n";

/* --- what is asked --- */

static int
parse_number(uint64_t least, uint64_t most, const char *option, uint64_t *number,
	     struct err *err)
{
	if (value_count(optarg, number) == 0 && *number >= least && *number <= most)
		return 0;
	return err_set(err, ERR_USAGE, "%s %.100s: write a number from %ju to %ju",
		       option, optarg, (uintmax_t)least, (uintmax_t)most);
}

static int
parse_target(struct request *request, enum form form, struct err *err)
{
	const char *name = optarg == NULL ? "-" : optarg;
	if (*name == '\0')
		return err_set(err, ERR_USAGE, "%s: the name of the file is empty",
			       forms[form].option);
	request->targets[form] = name;
	return 0;
}

static int
parse_option(struct request *request, int option, char **argv, struct err *err)
{
	switch (option) {
	case 'H':
		return parse_target(request, FORM_HTML, err);
	case 't':
		return parse_target(request, FORM_TRACE, err);
	case 'j':
		return parse_target(request, FORM_JSON, err);
	case 'c':
		return parse_target(request, FORM_CSV, err);
	case 'r':
		return parse_number(1, INT64_MAX, "--run", &request->run_id, err);
	case 'n':
		return parse_number(0, SHOWN_MAX, "--top", &request->shown_max, err);
	case 'h':
		request->wants_help = true;
		return 0;
	case 'V':
		request->wants_version = true;
		return 0;
	case ':':
		return err_set(err, ERR_USAGE, "%.100s needs an argument; see --help",
			       argv[optind - 1]);
	default:
		return err_set(err, ERR_USAGE, "there is no option %.100s; see --help",
			       argv[optind - 1]);
	}
}

/* Each to a place of its own; the summary where nothing else is asked for. */
static int
settle_targets(struct request *request, struct err *err)
{
	bool is_any = false;
	for (int i = 0; i < FORMS; i++)
		is_any |= request->targets[i] != NULL;
	if (!is_any)
		request->targets[FORM_TEXT] = "-";
	for (int i = 0; i < FORMS; i++)
		for (int j = i + 1; j < FORMS; j++)
			if (request->targets[i] != NULL && request->targets[j] != NULL &&
			    strcmp(request->targets[i], request->targets[j]) == 0)
				return err_set(
				    err, ERR_USAGE,
				    "%s and %s cannot both be written to %.200s: "
				    "name a file for one of them",
				    forms[i].option, forms[j].option,
				    strcmp(request->targets[i], "-") == 0
					? "standard output"
					: request->targets[i]);
	return 0;
}

static int
parse_arguments(struct request *request, int argc, char **argv, struct err *err)
{
	static const struct option options[] = {{"html", required_argument, NULL, 'H'},
						{"trace", required_argument, NULL, 't'},
						{"json", optional_argument, NULL, 'j'},
						{"csv", optional_argument, NULL, 'c'},
						{"run", required_argument, NULL, 'r'},
						{"top", required_argument, NULL, 'n'},
						{"help", no_argument, NULL, 'h'},
						{"version", no_argument, NULL, 'V'},
						{NULL, 0, NULL, 0}};
	optind = 0; /* starts anew, whoever used getopt before */
	opterr = 0;
	for (int option; (option = getopt_long(argc, argv, ":n:hV", options, NULL)) != -1;)
		if (parse_option(request, option, argv, err) == -1)
			return -1;
	if (request->wants_help || request->wants_version)
		return 0;
	if (argc - optind != 1)
		return err_set(err, ERR_USAGE,
			       "write: pinion report RUN.db, the run file of one run or "
			       "several; see --help");
	request->path = argv[optind];
	return settle_targets(request, err);
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
	for (size_t i = 0; i < sizeof(variables) / sizeof(*variables); i++)
		if (is_set(variables[i])) {
			const char *locale = getenv(variables[i]);
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
write_all(const struct request *request, const struct report_config *config,
	  struct report_out *outs, struct err *err)
{
	struct report_writer *writers[FORMS];
	size_t count = 0;
	int status = 0;
	for (int i = 0; i < FORMS && status == 0; i++) {
		if (request->targets[i] == NULL)
			continue;
		if (report_out_open(&outs[i], request->targets[i], err) == -1) {
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
		if (request->targets[i] != NULL)
			status = report_out_finish(&outs[i], err);
	while (count > 0) {
		count--;
		writers[count]->free(writers[count]);
	}
	return status;
}

static int
report(const struct request *request, const sigset_t *stops, struct err *err)
{
	struct report_out outs[FORMS];
	struct report_config config = {.path = request->path,
				       .shown_max = (size_t)request->shown_max,
				       .screen = screen_find(),
				       .stops = stops};
	config.tasks = runfile_tasks_open(request->path, (int64_t)request->run_id, err);
	if (config.tasks == NULL)
		return -1;
	for (int i = 0; i < FORMS; i++)
		outs[i] = (struct report_out){.fd = -1};
	int status = write_all(request, &config, outs, err);
	for (int i = 0; i < FORMS; i++)
		report_out_close(&outs[i]);
	runfile_tasks_close(config.tasks);
	return status;
}

static bool
has_files(const struct request *request)
{
	for (int i = 0; i < FORMS; i++)
		if (request->targets[i] != NULL && strcmp(request->targets[i], "-") != 0)
			return true;
	return false;
}

/* What a signal would leave half written is taken away before it has its effect. */
static int
report_cleanly(const struct request *request, struct err *err)
{
	static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM};
	sigset_t stops, before;
	sigemptyset(&stops);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaddset(&stops, signals[i]);
	signal(SIGXFSZ, SIG_IGN); /* EFBIG says what it was about */
	sigprocmask(SIG_BLOCK, &stops, &before);
	int status = report(request, &stops, err);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return status;
}

static int
answer(const struct request *request, struct err *err)
{
	const char *text = request->wants_help ? help : "pinion " PINION_VERSION "\n";
	if (!request->wants_help && !request->wants_version)
		return has_files(request) ? report_cleanly(request, err)
					  : report(request, NULL, err);
	return io_write_all(STDOUT_FILENO, text, strlen(text)) == 0
		   ? 0
		   : err_errno(err, "cannot write standard output");
}

int
cmd_report(int argc, char **argv)
{
	struct diag diag = {.name = "pinion report", .fd = STDERR_FILENO};
	struct request request = {.shown_max = SHOWN_DEFAULT};
	struct err err = {0};
	if (parse_arguments(&request, argc, argv, &err) == 0 && answer(&request, &err) == 0)
		return CMD_OK;
	diag_err(&diag, &err);
	return err.kind == ERR_USAGE ? CMD_USAGE : CMD_BROKEN;
}
