/* records.c: see records.h. */
#include "record/records.h"

int
records_open(struct records *records, const struct records_config *config, struct err *err)
{
	(void)config;
	(void)err;
	*records = (struct records){0};
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
