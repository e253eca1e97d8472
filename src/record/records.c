/* records.c: see records.h. */
#include "record/records.h"

#include "record/uptodate.h"

static int
records_add_sink(struct records *records, struct sink *sink)
{
	if (sink == NULL)
		return -1;
	records->sinks[records->sink_count++] = sink;
	return 0;
}

static int
records_add_history(struct records *records, struct history *history)
{
	if (history == NULL)
		return -1;
	records->histories[records->history_count++] = history;
	return 0;
}

int
records_open(struct records *records, const struct records_config *config, struct err *err)
{
	const struct spec *spec = config->spec;
	*records = (struct records){0};
	if (spec->output_count > 0 &&
	    (records_add_history(records, uptodate_history_new(config, err)) == -1 ||
	     records_add_sink(records, uptodate_sink_new(config, err)) == -1))
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
	*records = (struct records){0};
}
