/* cmd_topology.c: `pinion topology`: the budget, the places, and why. */
#include "cmd.h"
#include "input/request.h"
#include "pool/topology.h"

static int
topology_describe(const struct topology *topology, const struct request *request,
		  struct buf *text, struct err *err)
{
	const struct spec *spec = &request->spec;
	size_t worker_count = topology_worker_count(topology, &spec->jobs, spec->dialect,
						    topology_worker_limit(1), err);
	if (worker_count == 0)
		return -1;
	int failed = request->wants_json
			 ? topology_print_json(topology, spec->bind, worker_count, text)
			 : topology_print(topology, spec->bind, worker_count, text);
	return failed == -1 ? err_no_memory(err) : CMD_OK;
}

static int
topology_answer(struct request *request, const struct diag *diag, struct buf *text,
		struct err *err)
{
	(void)diag;
	if (request->word_count > 0)
		return err_set(err, ERR_USAGE,
			       "nothing to do with the argument %.200s; see --help",
			       request->words[0]);
	struct topology *topology = topology_new_detailed(err);
	if (topology == NULL)
		return -1;
	int status = topology_describe(topology, request, text, err);
	topology_free(topology);
	return status;
}

int
cmd_topology(int argc, char **argv)
{
	return cmd_request(OPTION_TOPOLOGY, argc, argv, topology_answer);
}
