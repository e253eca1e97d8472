/* Records of CSV: the first byte says which separator and whether there is a header. */
#include "input/csv.h"
#include "fuzz.h"

static void
read_all(struct csv *csv, bool has_header)
{
	struct row row = {0};
	struct arg record;
	struct err err = {0};
	enum source_status status;
	size_t column_count = 0;
	while ((status = csv_next(csv, true, &record, &err)) == SOURCE_TASK) {
		row_clear(&row);
		if (csv_split(csv, &record, &row, &err) == -1)
			break;
		fuzz_expect(row.count > 0);
		if (column_count == 0)
			column_count = row.count;
		fuzz_expect(!has_header || row.count == column_count);
	}
	if (status != SOURCE_END)
		fuzz_expect_failure(&err);
	row_fini(&row);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = {0};
	char path[32];
	if (size == 0)
		return 0;
	struct spec_input input = {.kind = SPEC_INPUT_CSV,
				   .path = path,
				   .has_header = (data[0] & 1) != 0,
				   .separator = (data[0] & 2) != 0 ? '\t' : ','};
	int fd = fuzz_file(data + 1, size - 1, path);
	struct lines *lines = lines_open(path, '\n', &err);
	fuzz_expect(lines != NULL);
	struct csv *csv = csv_open(&input, lines, &err);
	fuzz_expect(csv != NULL);
	read_all(csv, input.has_header);
	csv_close(csv);
	lines_close(lines);
	io_close(fd);
	return 0;
}
