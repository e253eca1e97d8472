/*
 * --rpl: a line with the name and the edit, then values, a line each: what is refused is said,
 * and a value edited twice comes out the same twice.
 */
#include "task/rpl.h"
#include "fuzz.h"

/* regcomp takes the cube of how deep groups are nested in time, which is the user's own. */
#define EDIT_MAX_BYTES 100

static void
edit(const struct edit *edit, const struct arg *value)
{
	struct buf one[2] = {{0}}, other[2] = {{0}};
	struct arg first, second;
	fuzz_expect(edit_apply(edit, value, one, &first) == 0);
	fuzz_expect(edit_apply(edit, value, other, &second) == 0);
	fuzz_expect(
	    first.length == second.length &&
	    (first.length == 0 || memcmp(first.bytes, second.bytes, first.length) == 0));
	for (int i = 0; i < 2; i++) {
		buf_fini(&one[i]);
		buf_fini(&other[i]);
	}
}

static void
match(struct rpl_table *table, const char *name, char *values)
{
	struct rpl rpl = {0};
	struct err err = {0};
	size_t length = strlen(name);
	ssize_t taken = rpl_match(table, name, length, &rpl, &err);
	fuzz_expect(taken <= (ssize_t)length);
	if (taken == -1)
		fuzz_expect_failure(&err);
	for (char *value; taken > 0 && rpl.edit != NULL && values != NULL;) {
		value = strsep(&values, "\n");
		edit(rpl.edit, &(struct arg){value, strlen(value)});
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct spec spec;
	struct err err = {0};
	char *text = fuzz_string(data, size), *rest = text;
	char *name = strsep(&rest, "\n");
	char *blank = strchr(name, ' ');
	spec_init(&spec, SPEC_MAP);
	if (strlen(name) > EDIT_MAX_BYTES)
		name[EDIT_MAX_BYTES] = '\0';
	if (blank != NULL && blank != name && blank < name + EDIT_MAX_BYTES) {
		*blank = '\0';
		fuzz_expect(spec_add_rpl(&spec, name, blank + 1) == 0);
	}
	spec.has_plus = true;
	struct rpl_table *table = rpl_table_new(&spec, NULL, 0, &err);
	if (table == NULL)
		fuzz_expect_failure(&err);
	else
		match(table, name, rest);
	rpl_table_free(table);
	spec_fini(&spec);
	free(text);
	return 0;
}
