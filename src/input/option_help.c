/*
 * option_help.c: the help text and the list of names, from the option table; see
 * options.h.
 */
#include <string.h>

#include "input/option_table.h"
#include "input/options.h"

#define HELP_COLUMN 28 /* where what an option does begins */
#define HELP_WIDTH 80

static const char *const section_titles[OPTION_SECTIONS] = {
    [OPTION_SECTION_INPUT] = "Inputs",    [OPTION_SECTION_COMMAND] = "Command",
    [OPTION_SECTION_POOL] = "Pool",       [OPTION_SECTION_OUTPUT] = "Output",
    [OPTION_SECTION_FAILURE] = "Failure", [OPTION_SECTION_RECORD] = "Record",
    [OPTION_SECTION_OTHER] = "Other",
};

static const char map_intro[] =
    "Usage: pinion map [OPTION]... [COMMAND...] [SOURCE]...\n"
    "Run COMMAND for each input, in parallel, and print its output in input order.\n"
    "\n"
    "COMMAND of several words is executed directly, the values put in as they are.\n"
    "COMMAND of one word is a /bin/sh command line; the values are quoted for it.\n"
    "Without COMMAND each input is a command line itself.\n";

static const char parallel_intro[] =
    "Usage: pinion parallel [OPTION]... [COMMAND...] [SOURCE]...\n"
    "Run COMMAND for each input, in parallel, with the defaults of GNU parallel.\n"
    "\n"
    "The words of COMMAND are joined into a line for the shell; the values are quoted\n"
    "for it. Without COMMAND each input is a command line itself. The shell is\n"
    "$PARALLEL_SHELL, else the one this was started from, else $SHELL, else /bin/sh.\n"
    "Options in $PARALLEL come first.\n";

static const char feed_intro[] =
    "Usage: pinion feed [OPTION]... PROGRAM [ARGUMENT]... [SOURCE]...\n"
    "Start PROGRAM once in each worker, feed it a line for each input, and print its\n"
    "answers, a line each, in input order. It must flush each answer: pinion-feed(7)\n"
    "tells how to write such a program in shell, awk, python, node and C.\n"
    "\n"
    "PROGRAM of several words is executed directly; of one word it is a /bin/sh\n"
    "command line. Several values of one input have a tab between them.\n";

static const char call_intro[] =
    "Usage: pinion call [OPTION]... LIB.so[:SYMBOL] [ARGUMENT]... [SOURCE]...\n"
    "Load LIB.so in each worker, call the function in it for each input, and print\n"
    "what it answers, in input order. SYMBOL names the plugin's descriptor, if it is\n"
    "not pinion_plugin; the ARGUMENTs are for the plugin's init. pinion-plugin(3)\n"
    "tells how to write such a library. LIB.so without a slash is looked for here,\n"
    "then where the dynamic linker looks.\n";

static const char bench_intro[] =
    "Usage: pinion bench [OPTION]... [COMMAND...] [SOURCE]...\n"
    "Run COMMAND for each input as pinion map does, with one worker and with as many\n"
    "as -j says, several times in turn; print how long it took, and what would help.\n"
    "What the tasks print is thrown away; what else they do is done each time.\n";

static const char run_intro[] =
    "Usage: pinion run [OPTION]... JOB.json [OPTION]...\n"
    "Run what the job file says; - is stdin. pinion-job(5) tells what can be in it;\n"
    "pinion map --print-spec ... makes one of a command line.\n";

static const char topology_intro[] =
    "Usage: pinion topology [-j N] [--bind KIND] [--json]\n"
    "Show the machine, how much of it may be used and who says so, and where each\n"
    "worker of a run would sit.\n";

static const char report_intro[] =
    "Usage: pinion report [OPTION]... RUN.db\n"
    "Tell what a recorded run (--run-file) did: what failed, why and how to run it\n"
    "again, what took longest, and where the time went; without options, on the\n"
    "terminal. A FILE of - is stdout. Files are there whole or not at all.\n";

static const char replay_intro[] =
    "Usage: pinion replay [--run ID] [--shell | --print] RUN.db [STAGE:]TASK\n"
    "       pinion replay --failed RUN.db\n"
    "Run a task of a recorded run (--run-file) again: the same command, directory,\n"
    "environment and limits. TASK is its number as messages have it: the first is 1;\n"
    "STAGE the name or number of a stage, where a job has some, else the last one.\n";

static const char status_intro[] =
    "Usage: pinion status [--watch] [--json | --names] [RUN]\n"
    "Show the runs of yours that are under way, or RUN in detail: how far it is,\n"
    "what its workers do, what it waits for. pinion ctl tells them what to do.\n";

static const char ctl_intro[] =
    "Usage: pinion ctl RUN jobs N | pause | resume | drain | cancel [TASK] | stop\n"
    "Tell a run of yours that is under way what to do. pinion status has the names.\n"
    "\n"
    "  jobs N         run N tasks at once from now on; those too many finish first\n"
    "  pause          start nothing new for now; what runs goes on\n"
    "  resume         start tasks again\n"
    "  drain          start nothing more, and end when what runs has ended\n"
    "  cancel         end the tasks that run now; the others go on\n"
    "  cancel TASK    end this task, or never start it; TASK is as messages have it;\n"
    "                 in a job of several stages STAGE:TASK, such as 2:17\n"
    "  stop           end the run and its tasks, as kill PID does; again: at once\n";

static const char completion_intro[] =
    "Usage: pinion completion bash|zsh|fish\n"
    "Print the script that completes pinion's words in that shell, for example:\n"
    "  eval \"$(pinion completion bash)\"\n";

static const struct {
	unsigned int verb;
	const char *text;
} intros[] = {
    {OPTION_MAP, map_intro},           {OPTION_PARALLEL, parallel_intro},
    {OPTION_FEED, feed_intro},         {OPTION_CALL, call_intro},
    {OPTION_BENCH, bench_intro},       {OPTION_RUN, run_intro},
    {OPTION_TOPOLOGY, topology_intro}, {OPTION_REPORT, report_intro},
    {OPTION_REPLAY, replay_intro},     {OPTION_STATUS, status_intro},
    {OPTION_CTL, ctl_intro},           {OPTION_COMPLETION, completion_intro},
};

static const char source_intro[] =
    "\n"
    "A SOURCE is one of these; without any, inputs are the lines of stdin:\n"
    "  ::: VALUE...   values            :::+ VALUE...   values, in step with the last\n"
    "  :::: FILE...   lines of files    ::::+ FILE...   lines, in step with the last\n"
    "Several sources are combined each with each.\n";

static const char value_intro[] =
    "\n"
    "In COMMAND these stand for the value; it comes last if there is none of them:\n"
    "  {}  all of it         {.}  without extension    {1} {2.} {-1/}  of one source\n"
    "  {/} file name         {/.} name, no extension   {name}  of a --header column\n"
    "  {//} directory        {#}  number of the task   {%}  number of the slot\n";

/* "-j, -P, --jobs, --max-procs N" */
static int
append_names(struct buf *text, const struct option_row *option)
{
	const char *between = "", *rest = option->names, *name;
	size_t length;
	for (const char *letter = option->letters; *letter != '\0'; letter++) {
		if (buf_printf(text, "%s-%c", between, *letter) == -1)
			return -1;
		between = ", ";
	}
	while ((length = option_next_name(&rest, &name)) > 0) {
		if (buf_printf(text, "%s--%.*s", between, (int)length, name) == -1)
			return -1;
		between = ", ";
	}
	switch (option->argument) {
	case OPTION_ARGUMENT_NONE:
		return 0;
	case OPTION_ARGUMENT_NEEDED:
		return buf_printf(text, " %s", option->argument_name);
	case OPTION_ARGUMENT_TEXT:
	case OPTION_ARGUMENT_COUNT:
	case OPTION_ARGUMENT_JOINED:
		return buf_printf(text, "[=%s]", option->argument_name);
	}
	return 0;
}

static int
append_line_break(struct buf *text)
{
	return buf_printf(text, "\n%*s", HELP_COLUMN, "");
}

/* The help of one option from HELP_COLUMN on, in as many lines as it takes. */
static int
append_wrapped(struct buf *text, const char *help, size_t column)
{
	/* At least two blanks behind the names, or the help goes below them. */
	if (column + 2 > HELP_COLUMN
		? append_line_break(text) == -1
		: buf_printf(text, "%*s", (int)(HELP_COLUMN - column), "") == -1)
		return -1;
	column = HELP_COLUMN;
	while (*help != '\0') {
		size_t length = strcspn(help, " ");
		const char *between = column == HELP_COLUMN ? "" : " ";
		if (column > HELP_COLUMN && column + 1 + length > HELP_WIDTH) {
			if (append_line_break(text) == -1)
				return -1;
			column = HELP_COLUMN;
			between = "";
		}
		if (buf_printf(text, "%s%.*s", between, (int)length, help) == -1)
			return -1;
		column += strlen(between) + length;
		help += length;
		help += strspn(help, " ");
	}
	return buf_append_char(text, '\n');
}

static int
append_option(struct buf *text, const struct option_row *option)
{
	size_t start = text->length;
	/* Long names stand in one column, whether there is a letter or not. */
	if (buf_append_str(text, option->letters[0] == '\0' ? "      " : "  ") == -1 ||
	    append_names(text, option) == -1)
		return -1;
	return append_wrapped(text, option->help, text->length - start);
}

/* A verb whose options are all of the last section has no other ones. */
static int
append_title(struct buf *text, enum option_section section, bool is_first)
{
	bool is_all = section == OPTION_SECTION_OTHER && is_first;
	return buf_printf(text, "\n%s:\n", is_all ? "Options" : section_titles[section]);
}

static int
append_section(struct buf *text, unsigned int verb, enum option_section section,
	       bool *is_first)
{
	bool has_title = false;
	for (size_t i = 0; i < option_count; i++) {
		const struct option_row *option = &option_table[i];
		if ((option_verbs_of(option) & verb) == 0 || option->section != section ||
		    option->help == NULL)
			continue;
		if (!has_title && append_title(text, section, *is_first) == -1)
			return -1;
		has_title = true;
		*is_first = false;
		if (append_option(text, option) == -1)
			return -1;
	}
	return 0;
}

static int
append_intros(struct buf *text, unsigned int verb)
{
	for (size_t i = 0; i < sizeof(intros) / sizeof(*intros); i++)
		if (intros[i].verb == verb && buf_append_str(text, intros[i].text) == -1)
			return -1;
	if ((verb & (OPTION_RUNNING | OPTION_BENCH)) != 0 &&
	    buf_append_str(text, source_intro) == -1)
		return -1;
	return (verb & (OPTION_COMMANDS | OPTION_BENCH)) != 0
		   ? buf_append_str(text, value_intro)
		   : 0;
}

int
options_print_help(unsigned int verb, struct buf *text)
{
	bool is_first = true;
	if (append_intros(text, verb) == -1)
		return -1;
	for (int section = 0; section < OPTION_SECTIONS; section++) {
		if (append_section(text, verb, (enum option_section)section, &is_first) ==
		    -1)
			return -1;
	}
	return 0;
}

static int
append_list(struct buf *text, const struct option_row *option)
{
	const char *rest = option->names, *name;
	size_t length;
	while ((length = option_next_name(&rest, &name)) > 0) {
		if (buf_printf(text, "--%.*s\n", (int)length, name) == -1)
			return -1;
	}
	for (const char *letter = option->letters; *letter != '\0'; letter++) {
		if (buf_printf(text, "-%c\n", *letter) == -1)
			return -1;
	}
	return 0;
}

int
options_list(unsigned int verb, struct buf *text)
{
	for (size_t i = 0; i < option_count; i++) {
		const struct option_row *option = &option_table[i];
		if ((option_verbs_of(option) & verb) == 0 || option->help == NULL)
			continue;
		if (append_list(text, option) == -1)
			return -1;
	}
	return 0;
}
