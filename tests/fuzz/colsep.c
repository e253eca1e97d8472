/* A line that is --colsep, and an item that it splits: the columns are pieces of it, in order. */
#include "fuzz.h"
#include "input/columns.h"

/* The C library takes any time and memory for {1,9999} and \1: who asks for them gets them. */
static bool
is_costly(const char *regex)
{
	bool has_reference = false;
	for (const char *at = strchr(regex, '\\'); at != NULL; at = strchr(at + 1, '\\'))
		has_reference |= at[1] >= '0' && at[1] <= '9';
	return has_reference || strlen(regex) > 24 || strchr(regex, '{') != NULL;
}

static void
split(const struct columns *columns, const struct arg *item)
{
	struct row row = {0};
	const char *from = item->bytes;
	fuzz_expect(columns_split(columns, item, &row) == 0);
	fuzz_expect(row.count > 0);
	for (size_t i = 0; i < row.count; i++) {
		const char *end = row.args[i].bytes + row.args[i].length;
		if (row.args[i].length == 0)
			continue;
		fuzz_expect(row.args[i].bytes >= from);
		fuzz_expect(end <= item->bytes + item->length);
		from = end;
	}
	row_fini(&row);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size), *rest = text;
	struct columns columns;
	struct spec spec;
	struct err err = {0};
	spec_init(&spec, SPEC_MAP);
	spec.colsep = strsep(&rest, "\n");
	spec.trim = (enum spec_trim)(size % 4);
	if (rest != NULL && !is_costly(spec.colsep)) {
		struct arg item = {rest, size - (size_t)(rest - text)};
		if (columns_init(&columns, &spec, &err) == -1)
			fuzz_expect_failure(&err);
		else
			split(&columns, &item);
		columns_fini(&columns);
	}
	spec_fini(&spec);
	free(text);
	return 0;
}
