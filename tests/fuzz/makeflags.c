/* $MAKEFLAGS, as any make may write it: what is passed on names the new jobserver alone. */
#include "base/makeflags.h"
#include "fuzz.h"

static void
append(const char *makeflags, size_t jobs)
{
	static const char fifo[] = "fifo:/run/user/0/pinion/j";
	struct buf text = {0};
	struct makeflags_auth auth;
	fuzz_expect(makeflags_append(&text, makeflags, fifo, jobs) == 0);
	fuzz_expect(buf_str(&text) != NULL);
	fuzz_expect(makeflags_find(text.bytes, &auth) && auth.path != NULL);
	fuzz_expect(auth.path_length == strlen(fifo) - strlen("fifo:") &&
		    memcmp(auth.path, fifo + strlen("fifo:"), auth.path_length) == 0);
	buf_fini(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	struct makeflags_auth auth;
	makeflags_is_dry_run(text);
	if (makeflags_find(text, &auth) && auth.path != NULL)
		fuzz_expect(auth.path >= text &&
			    auth.path + auth.path_length <= text + strlen(text));
	append(text, 0);
	append(text, 7);
	free(text);
	return 0;
}
