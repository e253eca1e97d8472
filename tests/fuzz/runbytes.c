/*
 * A run file, or its log, of which some bytes have become others: pairs of a place (two bytes) and
 * what is there now. The first byte says which of the two it is, and whether the end is missing.
 * All that reads one gives rows or says why not.
 */
#include "base/slurp.h"
#include "run_readers.h"

enum { IS_LOG = 1, IS_CUT = 2 };

/* As they were before anything happened to them: the file, and one with its log. */
static struct buf whole, early, log_file;

static void
take(struct buf *bytes, const char *path)
{
	fuzz_expect(slurp("", path, bytes) == 0 && bytes->length > 0);
}

static void
make_both(void)
{
	struct runfile_db db;
	run_make(&db);
	take(&early, run_path(""));
	take(&log_file, run_path("-wal"));
	runfile_db_close(&db);
	take(&whole, run_path(""));
}

static void
put_changed(const char *path, const struct buf *bytes, const uint8_t *changes,
	    size_t size, bool is_cut)
{
	char *copy = fuzz_string((const uint8_t *)bytes->bytes, bytes->length);
	size_t length = bytes->length;
	for (; size >= 3; changes += 3, size -= 3)
		copy[(size_t)(changes[0] << 8 | changes[1]) % length] = (char)changes[2];
	if (is_cut && size == 2)
		length = (size_t)(changes[0] << 8 | changes[1]) % length;
	fuzz_put(path, copy, length);
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (whole.length == 0)
		make_both();
	if (size == 0)
		return 0;
	bool is_log = (data[0] & IS_LOG) != 0, is_cut = (data[0] & IS_CUT) != 0;
	unlink(run_path("-shm"));
	unlink(run_path("-wal"));
	if (is_log) {
		fuzz_put(run_path(""), early.bytes, early.length);
		put_changed(run_path("-wal"), &log_file, data + 1, size - 1, is_cut);
	} else {
		put_changed(run_path(""), &whole, data + 1, size - 1, is_cut);
	}
	run_read_all(run_path(""));
	return 0;
}
