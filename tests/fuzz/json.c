/* JSON, as job files and JSON lines have it: what is read is printed and read as the same again. */
#include "fuzz.h"
#include "input/job_tree.h"
#include "input/json_read.h"

/* Every value knows where it stands, and its path can be told. */
static void
look_at(const struct json_value *value, const struct json_source *source)
{
	struct buf path = {0};
	fuzz_expect(value->at <= value->end && value->end <= source->length);
	fuzz_expect(json_path(value, &path) == 0);
	buf_fini(&path);
	for (const struct json_value *at = value->first; at != NULL; at = at->next) {
		fuzz_expect(at->parent == value);
		look_at(at, source);
	}
}

static void
print_again(const struct json_value *root)
{
	struct buf once = {0}, twice = {0};
	struct json json = {0};
	struct err err = {0};
	fuzz_expect(job_tree_print(root, &once) == 0);
	const struct json_source source = {
	    .name = "printed", .bytes = once.bytes, .length = once.length, .first_line = 1};
	const struct json_value *again = job_tree_read(&json, &source, NULL, 0, &err);
	if (root->kind == JSON_OBJECT) {
		fuzz_expect(again != NULL);
		fuzz_expect(job_tree_print(again, &twice) == 0);
		fuzz_expect(once.length == twice.length &&
			    memcmp(once.bytes, twice.bytes, once.length) == 0);
	}
	json_fini(&json);
	buf_fini(&once);
	buf_fini(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = malloc(size); /* not a byte more */
	struct json json = {0};
	struct err err = {0};
	fuzz_expect(size == 0 || bytes != NULL);
	if (bytes != NULL && size > 0)
		memcpy(bytes, data, size);
	const struct json_source source = {.name = "fuzz",
					   .bytes = bytes == NULL ? "" : bytes,
					   .length = size,
					   .first_line = 1};
	const struct json_value *root = json_read(&json, &source, &err);
	if (root == NULL) {
		fuzz_expect_failure(&err);
	} else {
		look_at(root, &source);
		print_again(root);
	}
	json_fini(&json);
	free(bytes);
	return 0;
}
