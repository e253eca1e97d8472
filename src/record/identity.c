/* identity.c: see identity.h. */
#include "record/identity.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#include "base/blake2b.h"
#include "task/override.h"

static_assert(sizeof(struct identity) == IDENTITY_BYTES, "a digest");

static void
add_bytes(struct blake2b *hash, const char *bytes, size_t length)
{
	uint64_t length_le = htole64(length);
	blake2b_update(hash, &length_le, sizeof(length_le));
	blake2b_update(hash, bytes, length);
}

/* NULL is not the same as an empty string. */
static void
add_text(struct blake2b *hash, const char *text)
{
	uint64_t none_le = htole64(UINT64_MAX);
	if (text == NULL)
		blake2b_update(hash, &none_le, sizeof(none_le));
	else
		add_bytes(hash, text, strlen(text));
}

static void
add_words(struct blake2b *hash, char *const *words, size_t count)
{
	uint64_t count_le = htole64(count);
	blake2b_update(hash, &count_le, sizeof(count_le));
	for (size_t i = 0; i < count; i++)
		add_text(hash, words[i]);
}

struct identity
identity_of_command(const struct spec *spec)
{
	struct identity identity;
	struct blake2b hash;
	blake2b_init(&hash, IDENTITY_BYTES);
	add_text(&hash, spec->program);
	add_words(&hash, spec->words, spec->word_count);
	add_words(&hash, spec->program_words, spec->program_word_count);
	add_words(&hash, spec->outputs, spec->output_count);
	add_text(&hash, spec->work_dir);
	add_text(&hash, spec->is_quoted ? "quote" : NULL);
	add_text(&hash, spec->has_plus ? "plus" : NULL);
	add_text(&hash, spec->repeats_context ? "context" : NULL);
	for (size_t i = 0; i < spec->rpl_count; i++) {
		add_text(&hash, spec->rpls[i].name);
		add_text(&hash, spec->rpls[i].edit);
	}
	blake2b_final(&hash, &identity);
	return identity;
}

/*
 * Where it came from, in a job of stages, is not what it is: seqs may differ the next time. Nor
 * is how long it may take.
 */
static void
add_overrides(struct blake2b *hash, const struct arg *overrides)
{
	struct arg at = *overrides;
	struct arg value;
	enum override_kind kind;
	while (override_next(&at, &kind, &value)) {
		const char letter = (char)kind;
		if (kind == OVERRIDE_FROM || kind == OVERRIDE_TIMEOUT)
			continue;
		add_bytes(hash, &letter, 1);
		add_bytes(hash, value.bytes, value.length);
	}
}

struct identity
identity_of_task(const struct identity *command, const struct spec *spec,
		 const struct arg *args, size_t arg_count)
{
	struct identity identity;
	struct blake2b hash;
	blake2b_init(&hash, IDENTITY_BYTES);
	blake2b_update(&hash, command, sizeof(*command));
	bool has_overrides = spec->hidden_count > 0 && arg_count > 0;
	if (has_overrides)
		add_overrides(&hash, &args[0]);
	for (size_t i = has_overrides; i < arg_count; i++)
		add_bytes(&hash, args[i].bytes, args[i].length);
	blake2b_final(&hash, &identity);
	return identity;
}
