/*
 * spec.h: what the user asked for in one job, from options or from JSON.
 *
 * Filled by input/options or input/job_json, read by everyone else, never written after the
 * first worker is forked. Strings and lists live in the spec's arena until spec_fini.
 * Fields not named by the user hold the defaults that spec_init gives for the dialect.
 */
#ifndef PINION_SPEC_H
#define PINION_SPEC_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "task/arg.h"

enum spec_dialect {
	SPEC_MAP,      /* pinion's own defaults */
	SPEC_PARALLEL, /* GNU parallel's defaults, for scripts written for it */
	SPEC_FEED,     /* as SPEC_MAP, but tasks go to a program that is kept alive */
	SPEC_CALL, /* as SPEC_MAP, but a task is a call of a function in a shared object */
	SPEC_BENCH, /* as SPEC_MAP, several times, for the figures */
	SPEC_RUN, /* a file says what: it becomes SPEC_MAP, SPEC_FEED or SPEC_CALL once it is read */
};

/* How a worker runs a task. */
enum spec_executor {
	SPEC_SPAWN,  /* a process each */
	SPEC_COPROC, /* a line to a program that is kept alive, and its answer */
	SPEC_PLUGIN, /* a call of a function in a shared object, in the worker itself */
};

/* How a program is fed; pinion-feed(7) is its page. */
enum spec_protocol {
	SPEC_PROTOCOL_LINE,  /* a line in, a line out */
	SPEC_PROTOCOL_NUL,   /* the same with NUL bytes in place of newlines */
	SPEC_PROTOCOL_JSON,  /* a JSON object in, one out, each on a line */
	SPEC_PROTOCOL_COUNT, /* a line in; out a line with a number, and so many bytes */
};

enum spec_input_kind {
	SPEC_INPUT_ARGS, /* values on the command line */
	SPEC_INPUT_FILE, /* a file of items; "-" is stdin */
	SPEC_INPUT_CSV,  /* a file of records, whose fields are columns */
	SPEC_INPUT_JSONL, /* a file of JSON objects, a line each; the only source of its job */
	SPEC_INPUT_GLOB,  /* files by patterns, sorted */
	SPEC_INPUT_RANGE, /* numbers */
};

/* Numbers with so many decimal places, as integers: 0.25 is 25 with two of them. */
struct spec_range {
	int64_t from;
	int64_t to; /* may be the last one */
	int64_t step;
	unsigned int decimals;
};

/* One input source. Sources are combined each with each, but a linked one goes with the one before. */
struct spec_input {
	enum spec_input_kind kind;
	bool is_linked;
	char **values; /* SPEC_INPUT_ARGS; SPEC_INPUT_GLOB: patterns */
	size_t value_count;
	const char *path; /* SPEC_INPUT_FILE, SPEC_INPUT_CSV, SPEC_INPUT_JSONL */
	bool is_nul;      /* SPEC_INPUT_FILE: items end with a NUL, whatever others do */
	bool has_header;  /* SPEC_INPUT_CSV: the first record names the columns */
	char separator;   /* SPEC_INPUT_CSV */
	bool is_newer;    /* SPEC_INPUT_GLOB: only what was changed after newer_than_ns */
	int64_t newer_than_ns;   /* since 1970 */
	struct spec_range range; /* SPEC_INPUT_RANGE */
};

/* How many inputs make one task. */
enum spec_group {
	SPEC_GROUP_ONE, /* one input each */
	SPEC_GROUP_COUNT, /* -n, -N: max_args of them, {} is all of them, {1} {2} one each */
	SPEC_GROUP_LINES, /* -L: max_lines lines of input; one that ends in a blank goes on in the next */
	SPEC_GROUP_FILL, /* -m: as many as fit; the word around {} is not repeated */
	SPEC_GROUP_FILL_CONTEXT, /* -X: as many as fit; the word around {} is repeated */
};

enum spec_trim { SPEC_TRIM_NONE, SPEC_TRIM_LEFT, SPEC_TRIM_RIGHT, SPEC_TRIM_BOTH };

/* A replacement string by another name, or a new one that edits the value (--rpl, -I, -U, --plus). */
struct spec_rpl {
	const char *name; /* as it stands in the command: "{.}", "{/..}" */
	/* An s/regex/replacement/[g] list as --rpl takes it; or a known name, which is then free. */
	const char *edit;
};

enum spec_jobs_kind {
	SPEC_JOBS_DEFAULT, /* one per core of the budget */
	SPEC_JOBS_COUNT,   /* -j N */
	SPEC_JOBS_PERCENT, /* -j N%: of the budget's cores (map) or threads (parallel) */
	SPEC_JOBS_PLUS, /* -j +N or -N: the budget and so many more or fewer, at least 1 */
	SPEC_JOBS_CORES,
	SPEC_JOBS_THREADS,
	SPEC_JOBS_MAX, /* -j 0: as many as the system allows */
	SPEC_JOBS_FILE, /* -j FILE: holds one of the others, read again when a task finishes */
};

struct spec_jobs {
	enum spec_jobs_kind kind;
	double value; /* N; negative for -j -N */
	const char *path;
};

enum spec_bind {
	SPEC_BIND_AUTO, /* share, core or none, as topology.h says */
	SPEC_BIND_CORE,
	SPEC_BIND_SHARE,
	SPEC_BIND_PU,
	SPEC_BIND_NUMA,
	SPEC_BIND_NONE,
};

/* How a worker process comes to be; start.h says more. */
enum spec_start_method { SPEC_START_FORK, SPEC_START_SPAWN, SPEC_START_FORKSERVER };

/* --jobserver: whether cores are shared with what tasks start (ipc/jobserver.h). */
enum spec_jobserver {
	SPEC_JOBSERVER_NONE,
	/* That of the make we were started by, if it lets us; only where tasks are processes. */
	SPEC_JOBSERVER_JOIN,
	SPEC_JOBSERVER_AUTO, /* the same, else ours, in the style that make understands */
	SPEC_JOBSERVER_PIPE, /* the same, in this style */
	SPEC_JOBSERVER_FIFO,
};

enum spec_output_mode {
	SPEC_OUTPUT_GROUP, /* one block per task */
	SPEC_OUTPUT_LINE,  /* --line-buffer: whole lines as they come */
	SPEC_OUTPUT_NONE,  /* --ungroup: tasks have pinion's own stdout and stderr */
};

/* What stands for a task on stdout; pinion-json(5) is its page. */
enum spec_json {
	SPEC_JSON_NONE,    /* what it prints */
	SPEC_JSON_OBJECTS, /* --json: an object, once it has its end */
	SPEC_JSON_EVENTS, /* --json-stream: an object for each thing that happens to it */
};

enum spec_halt_when { SPEC_HALT_NEVER, SPEC_HALT_SOON, SPEC_HALT_NOW };
enum spec_halt_why { SPEC_HALT_FAIL, SPEC_HALT_SUCCESS, SPEC_HALT_DONE };

struct spec_halt {
	enum spec_halt_when when;
	enum spec_halt_why why;
	bool is_percent; /* of all tasks; the input is read to its end first */
	double value;
};

/* Pressure, as the kernel measures it: the time in which some task stalls for want of it. */
enum spec_pressure {
	SPEC_PRESSURE_CPU,
	SPEC_PRESSURE_MEMORY,
	SPEC_PRESSURE_IO,
	SPEC_PRESSURES,
};

struct spec_timeout {
	int64_t ns; /* 0: none */
	double percent; /* above 0: of the median run time of the tasks that succeeded so far */
};

/* One step of --termseq: a signal, then how long to wait for the tree to be gone. */
struct spec_term_step {
	int signal;
	int wait_ms;
};
#define SPEC_TERM_STEPS 16

/* --retry-on: bits by reason. */
enum {
	SPEC_RETRY_EXIT = 1,
	SPEC_RETRY_SIGNAL = 2,
	SPEC_RETRY_TIMEOUT = 4,
	SPEC_RETRY_LOST = 8,
	SPEC_RETRY_MEMORY = 16,
	SPEC_RETRY_ALL = 31,
};

/* Which of the tasks that a record of an earlier run knows are run again. */
enum spec_resume {
	SPEC_RESUME_NOTHING, /* there is no earlier run: all are run */
	SPEC_RESUME_REST,    /* --resume: those it does not know */
	SPEC_RESUME_FAILED,  /* --resume-failed: those, and those that failed */
	SPEC_RETRY_FAILED, /* --retry-failed: those that failed, with the inputs of the record */
};

/* What is shown of a run while it goes on; or what decides that. */
enum spec_progress {
	SPEC_PROGRESS_AUTO, /* a line, where a person sees it and it disturbs nothing */
	SPEC_PROGRESS_NONE,
	SPEC_PROGRESS_LANES, /* the line, and one for each worker */
	SPEC_PROGRESS_BAR,   /* these two are GNU parallel's */
	SPEC_PROGRESS_ETA,
};

/* --fsync: what is on disk before a task counts as done. */
enum spec_fsync { SPEC_FSYNC_NONE, SPEC_FSYNC_FILE, SPEC_FSYNC_DIR };

/* What of a stage's output is the next one's tasks. */
enum spec_pass {
	SPEC_PASS_LINES,  /* each line */
	SPEC_PASS_OUTPUT, /* the output of a task as a whole */
	SPEC_PASS_JSON,   /* each line, as an object whose keys are names */
};

struct spec {
	enum spec_dialect dialect;
	const char *program; /* for messages: "pinion map", "parallel" */
	/*
	 * The words are those of a coordinator, which has checked them: what they name may have
	 * gone since, and its shell is ours. For a worker that was executed.
	 */
	bool is_inherited;

	/* A job's file, if it came from one or is to be one. */
	const char *name; /* of the job or stage (for status and ctl, too); NULL: none */
	/* SPEC_RUN: the file with all that was put into it; not empty: to be read in its place. */
	struct buf job_text;
	struct buf print;    /* what OPTIONS_PRINT is for */
	struct spec *stages; /* several; else this is the only one */
	size_t stage_count;

	/* A stage's own. */
	const struct spec *job; /* whose it is; NULL: this is no stage */
	size_t stage_index;
	const char *stage; /* its name, or else its number */
	enum spec_pass pass;

	/* The command. */
	char **words; /* NULL-terminated, from the command line; none: each input is a command line */
	size_t word_count;
	bool is_quoted; /* -q: the command's own words are quoted for the shell too */
	const char *shell; /* path of the shell for command lines; see options.h for how it is found */
	struct spec_rpl *rpls; /* later ones win */
	size_t rpl_count;
	bool has_plus; /* --plus: {..} {+/} {/a/b} and their family are replacement strings too */
	const char *work_dir; /* --wd; NULL: where pinion was started */
	const char **env;     /* NAME=VALUE, beyond what pinion was started with */
	size_t env_count;
	const char *stdin_path; /* what every task reads; NULL: nothing, or */
	const char *stdin_text; /* this; NULL: nothing */

	/* feed: the program, in place of words, which then are {} alone. */
	enum spec_executor executor;
	char **program_words; /* NULL-terminated */
	size_t program_word_count;
	enum spec_protocol protocol;
	size_t inflight_count; /* tasks a program may have at once */
	uint64_t max_rss_bytes; /* a program (call: a worker) larger than this is replaced; 0: no bound */

	/* call: program_words are the library as it was named, and words for init. */
	const char *plugin_path;   /* without a slash: for the search of dlopen(3) */
	const char *plugin_symbol; /* of the descriptor; NULL: the usual one */

	/* Inputs. */
	struct spec_input *inputs; /* none: stdin */
	size_t input_count;
	char delimiter;           /* between items in files; '\n' */
	const char *end_of_input; /* -E: an item equal to this ends the input; NULL: none */
	const char *colsep; /* extended regular expression; NULL: items are not split */
	bool has_header;    /* --header : */
	bool is_all_linked; /* --link */
	enum spec_trim trim;
	bool skips_empty; /* -r */
	bool is_shuffled;
	enum spec_group group;
	size_t max_args; /* SPEC_GROUP_COUNT, and a bound for the FILL ones; 0: no bound */
	size_t max_lines; /* SPEC_GROUP_LINES */
	size_t max_chars; /* -s: bound of an expanded command in bytes; 0: what execve takes */
	bool repeats_context; /* -N, -L, -X: the word around {} is repeated; -n, -m: not */
	bool shares_rest; /* -X, -m: workers share the end of the input; --xargs: not */
	bool is_valueless; /* -n 0, -N 0, -L 0: an input makes a task, but is no value of it */
	bool takes_objects; /* a task is a JSON object, of a file or of the stage before */
	/*
	 * With these, and in all stages but the first: in front of a task's values come hidden
	 * ones, that {} and {1} do not see: its overrides (override.h), then the members of its
	 * object that are named in templates, by {name}.
	 */
	uint32_t hidden_count; /* 1 and the members; 0: neither objects nor a stage before */
	struct arg *members;
	size_t member_count;

	/* The pool. */
	struct spec_jobs jobs;
	enum spec_bind bind;
	size_t chunk_count;            /* --chunksize; 0: auto */
	uint64_t max_tasks_per_worker; /* 0: no bound */
	enum spec_start_method start_method;
	enum spec_jobserver jobserver;
	const char *initializer; /* shell command; NULL: none */

	/* Manners: what others on the machine are left with. */
	struct spec_jobs load; /* --load: nothing starts from here on; DEFAULT: no bound */
	uint64_t memfree_bytes;                   /* nothing starts below; 0: no bound */
	double pressure_percents[SPEC_PRESSURES]; /* nothing starts from here on; 0: no bound */
	bool has_nice;
	int nice;   /* of workers and their tasks */
	int ioprio; /* the same, as ioprio_set(2) has it; 0: pinion's own */

	/* Output. */
	bool is_ordered;
	enum spec_output_mode output_mode;
	enum spec_json json;
	const char *tag; /* template in front of each line, without its tab; NULL: none */
	uint64_t buffer_bytes; /* held-back output kept in memory */
	size_t window; /* tasks that may be settled ahead of the one whose turn it is */
	const char *tmp_dir; /* NULL: $TMPDIR, else /tmp */
	bool is_verbose;     /* -v: the command line in front of its output */
	bool is_traced;      /* -t: the command line on stderr when it starts */
	bool is_dry_run;
	bool is_quiet; /* nothing is said of the run: no progress, no summary */
	enum spec_progress progress;

	/* bench. */
	size_t round_count;    /* 0: three, as far as a minute allows */
	bool has_json_figures; /* --json */

	/* The record. */
	enum spec_resume resume;
	const char *joblog;   /* NULL: none */
	const char *results;  /* a folder, or a file .csv .tsv .jsonl; NULL: none */
	const char *run_file; /* NULL: none */
	char **outputs; /* --output: templates of the files a task makes; {out} is the first, {out2}.. */
	size_t output_count;
	enum spec_fsync fsync;

	/* Failure. */
	unsigned int max_attempts; /* --retries; 1: one try */
	unsigned int retry_on;     /* SPEC_RETRY_* */
	int64_t backoff_ns; /* before the 2nd attempt; doubles with each further one */
	struct spec_timeout timeout;
	int64_t delay_ns;         /* at least so long between two starts */
	const char *cron;         /* --cron: the name of this run; NULL: none */
	int64_t deadline_real_ns; /* since 1970: nothing starts from then on; 0: none */
	struct spec_halt halt;
	struct spec_term_step term_steps[SPEC_TERM_STEPS];
	size_t term_step_count;

	struct spec_arena *arena; /* owns the strings and lists */
};

/* What -j means; also for what a SPEC_JOBS_FILE holds. -1 when it is none of the forms but a path. */
int spec_jobs_parse(struct spec_jobs *jobs, const char *text);

/* Whether any task may have one. */
bool spec_has_time_limits(const struct spec *spec);

void spec_init(struct spec *spec, enum spec_dialect dialect);
void spec_fini(struct spec *spec);

/* Whether anything is kept of the run, so that it can be resumed. */
bool spec_is_recorded(const struct spec *spec);

/* Whether it is a stage with another behind it. */
bool spec_feeds_stage(const struct spec *spec);

/* Memory that lives as long as the spec; NULL when out of memory. */
void *spec_alloc(struct spec *spec, size_t bytes);
char *spec_strdup(struct spec *spec, const char *string);

/*
 * The list, of elements that live as long as the spec, with room for one more: a bigger copy
 * each time the count reaches a power of two, else itself. NULL without memory.
 */
void *spec_grow(struct spec *spec, void *list, size_t count, size_t element_bytes);

/* Appends to spec->inputs, spec->rpls, spec->outputs, spec->env. 0 or -1 (out of memory). */
int spec_add_input(struct spec *spec, const struct spec_input *input);
int spec_add_rpl(struct spec *spec, const char *name, const char *edit);
int spec_add_output(struct spec *spec, const char *output);
int spec_add_env(struct spec *spec, const char *variable); /* NAME=VALUE; a later one wins */

#endif
