/* records.c: see records.h. */
#include "record/records.h"

#include "record/joblog.h"
#include "record/uptodate.h"

/* Those that are not NULL. */
static void
records_add(struct records *records, struct sink *sink, struct history *history)
{
	if (sink != NULL)
		records->sinks[records->sink_count++] = sink;
	if (history != NULL)
		records->histories[records->history_count++] = history;
}

static int
records_open_joblog(struct records *records, const struct records_config *config,
		    struct err *err)
{
	const struct joblog_config joblog = {
	    .spec = config->spec,
	    .command = config->command,
	    .column_count = config->column_count,
	};
	if (config->spec->joblog == NULL)
		return 0;
	records->joblog = joblog_open(&joblog, err);
	if (records->joblog == NULL)
		return -1;
	records_add(records, joblog_sink(records->joblog), joblog_history(records->joblog));
	if (joblog_append_notes(records->joblog, &records->notes) == -1)
		return err_no_memory(err);
	if (config->spec->resume != SPEC_RETRY_FAILED)
		return 0;
	records->source = joblog_source_new(records->joblog, err);
	return records->source == NULL ? -1 : 0;
}

static int
records_open_outputs(struct records *records, const struct records_config *config,
		     struct err *err)
{
	if (config->spec->output_count == 0)
		return 0;
	struct sink *sink = uptodate_sink_new(config, err);
	struct history *history = uptodate_history_new(config, err);
	records_add(records, sink, history);
	return sink == NULL || history == NULL ? -1 : 0;
}

int
records_open(struct records *records, const struct records_config *config, struct err *err)
{
	*records = (struct records){0};
	if (records_open_joblog(records, config, err) == -1 ||
	    records_open_outputs(records, config, err) == -1)
		return -1;
	return 0;
}

void
records_close(struct records *records)
{
	for (size_t i = 0; i < records->sink_count; i++)
		sink_free(records->sinks[i]);
	for (size_t i = 0; i < records->history_count; i++)
		history_free(records->histories[i]);
	source_free(records->source);
	joblog_close(records->joblog);
	buf_fini(&records->notes);
	*records = (struct records){0};
}
