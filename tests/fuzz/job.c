/* Job files: into a spec, touching no other file; and what is recorded of one says the same. */
#include "fuzz.h"
#include "input/job_json.h"

static int
read_job(struct spec *spec, const char *bytes, size_t size, struct err *err)
{
	struct option_state state = {
	    .spec = spec, .outcome = OPTIONS_RUN, .value_sep = ":::", .file_sep = "::::"};
	spec_init(spec, SPEC_RUN);
	spec->is_inherited = true; /* what it names is not looked at */
	fuzz_expect(buf_append(&spec->job_text, bytes, size) == 0);
	return job_read(&state, "job.json", err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct spec spec, again;
	struct err err = {0};
	if (size == 0) /* nothing given would be read from the file */
		return 0;
	int status = read_job(&spec, (const char *)data, size, &err);
	if (status == -1) {
		fuzz_expect_failure(&err);
	} else {
		const struct buf *text = &spec.job_text;
		fuzz_expect(read_job(&again, text->bytes, text->length, &err) == 0);
		fuzz_expect(again.job_text.length == text->length &&
			    memcmp(again.job_text.bytes, text->bytes, text->length) == 0);
		fuzz_expect(again.stage_count == spec.stage_count &&
			    again.word_count == spec.word_count &&
			    again.input_count == spec.input_count);
		spec_fini(&again);
	}
	spec_fini(&spec);
	return 0;
}
