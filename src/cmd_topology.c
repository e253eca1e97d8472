/* cmd_topology.c: `pinion topology`: the budget, the places, and why. */
#include <getopt.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/io.h"
#include "cmd.h"
#include "input/option_value.h"
#include "pool/topology.h"

struct request {
	struct spec_jobs jobs;
	enum spec_bind bind;
	bool wants_json;
	bool wants_help;
	bool wants_version;
};

static const char help[] =
    "usage: pinion topology [-j N] [--bind KIND] [--json]\n"
    "\n"
    "Shows the machine, how much of it may be used and who says so, and where\n"
    "each worker of a run would sit.\n"
    "\n"
    "  -j, -P, --jobs, --max-procs N\n"
    "                   as for pinion map: N, N%, +N, -N, 0, cores, threads or a file\n"
    "      --bind KIND  auto, core, share, pu, numa or none\n"
    "      --json       one JSON object instead of text\n"
    "  -h, --help       this text\n"
    "  -V, --version    the version of pinion\n";

/* A path, when it is none of the other forms. */
static int
parse_jobs(const char *text, struct spec_jobs *jobs, struct err *err)
{
	struct stat st;
	if (spec_jobs_parse(jobs, text) == 0)
		return 0;
	if (stat(text, &st) == -1 || !S_ISREG(st.st_mode))
		return err_set(
		    err, ERR_USAGE,
		    "-j %s: write N, N%%, +N, -N, cores, threads or the name of a file",
		    text);
	*jobs = (struct spec_jobs){.kind = SPEC_JOBS_FILE, .path = text};
	return 0;
}

static int
parse_bind(const char *text, enum spec_bind *bind, struct err *err)
{
	if (value_bind(text, bind) == 0)
		return 0;
	return err_set(err, ERR_USAGE,
		       "--bind %s: write auto, core, share, pu, numa or none", text);
}

static int
parse_argument(int option, struct request *request, char **argv, struct err *err)
{
	switch (option) {
	case 'j':
		return parse_jobs(optarg, &request->jobs, err);
	case 'b':
		return parse_bind(optarg, &request->bind, err);
	case 'J':
		request->wants_json = true;
		return 0;
	case 'h':
		request->wants_help = true;
		return 0;
	case 'V':
		request->wants_version = true;
		return 0;
	case ':':
		return err_set(err, ERR_USAGE, "%s needs an argument; see --help",
			       argv[optind - 1]);
	default:
		break;
	}
	if (optopt != 0)
		return err_set(err, ERR_USAGE, "there is no option -%c; see --help",
			       optopt);
	return err_set(err, ERR_USAGE, "there is no option %s; see --help",
		       argv[optind - 1]);
}

static int
parse_arguments(struct request *request, int argc, char **argv, struct err *err)
{
	static const struct option options[] = {{"jobs", required_argument, NULL, 'j'},
						{"max-procs", required_argument, NULL, 'j'},
						{"bind", required_argument, NULL, 'b'},
						{"json", no_argument, NULL, 'J'},
						{"help", no_argument, NULL, 'h'},
						{"version", no_argument, NULL, 'V'},
						{NULL, 0, NULL, 0}};
	optind = 0; /* starts anew, whoever used getopt before */
	for (int option;
	     (option = getopt_long(argc, argv, "+:j:P:hV", options, NULL)) != -1;)
		if (parse_argument(option == 'P' ? 'j' : option, request, argv, err) == -1)
			return -1;
	if (optind < argc)
		return err_set(err, ERR_USAGE,
			       "nothing to do with the argument %s; see --help",
			       argv[optind]);
	return 0;
}

static int
describe(const struct topology *topology, const struct request *request, struct buf *text,
	 struct err *err)
{
	size_t worker_count = topology_worker_count(topology, &request->jobs, SPEC_MAP,
						    topology_worker_limit(), err);
	if (worker_count == 0)
		return -1;
	int failed = request->wants_json
			 ? topology_print_json(topology, request->bind, worker_count, text)
			 : topology_print(topology, request->bind, worker_count, text);
	return failed == -1 ? err_no_memory(err) : 0;
}

static int
answer(const struct request *request, struct buf *text, struct err *err)
{
	if (request->wants_help)
		return buf_append_str(text, help) == -1 ? err_no_memory(err) : 0;
	if (request->wants_version)
		return buf_append_str(text, "pinion " PINION_VERSION "\n") == -1
			   ? err_no_memory(err)
			   : 0;
	struct topology *topology = topology_new_detailed(err);
	if (topology == NULL)
		return -1;
	int failed = describe(topology, request, text, err);
	topology_free(topology);
	return failed;
}

int
cmd_topology(int argc, char **argv)
{
	struct diag diag = {.name = "pinion topology", .fd = STDERR_FILENO};
	struct request request = {.bind = SPEC_BIND_AUTO};
	struct buf text = {0};
	struct err err = {0};
	int failed = parse_arguments(&request, argc, argv, &err);
	if (failed == 0)
		failed = answer(&request, &text, &err);
	if (failed == 0 && io_write_all(STDOUT_FILENO, text.bytes, text.length) == -1)
		failed = err_errno(&err, "cannot write to stdout");
	buf_fini(&text);
	if (failed == 0)
		return CMD_OK;
	diag_err(&diag, &err);
	return err.kind == ERR_USAGE ? CMD_USAGE : CMD_BROKEN;
}
