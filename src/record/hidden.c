/* hidden.c: see hidden.h. */
#include "record/hidden.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/words.h"
#include "task/override.h"
#include "task/task.h"

#define ENV_PREFIX "env."

/* What each is called in the column; OVERRIDE_ENV is the beginning of it. */
static const struct {
	enum override_kind kind;
	const char *name;
} kinds[] = {
    {OVERRIDE_ID, "id"},
    {OVERRIDE_CWD, "cwd"},
    {OVERRIDE_STDIN_FILE, "stdin.file"},
    {OVERRIDE_STDIN_TEXT, "stdin.text"},
    {OVERRIDE_TIMEOUT, "timeout_ns"},
    {OVERRIDE_FROM, "from"},
};

static const char *
name_of_kind(enum override_kind kind)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (kinds[i].kind == kind)
			return kinds[i].name;
	return "";
}

static bool
is_name(const struct arg *word, const char *name)
{
	return word->length == strlen(name) && memcmp(word->bytes, name, word->length) == 0;
}

/* --- into the column --- */

static int
pack_variable(struct buf *pairs, struct buf *name, const struct arg *variable)
{
	size_t length = strcspn(variable->bytes, "=");
	buf_clear(name);
	if (buf_append_str(name, ENV_PREFIX) == -1 ||
	    buf_append(name, variable->bytes, length) == -1 ||
	    task_pack(pairs, name->bytes, name->length) == -1)
		return -1;
	return task_pack(pairs, variable->bytes + length + 1,
			 variable->length - length - 1);
}

/* Numbers from 1, with commas between them. */
static int
pack_from(struct buf *pairs, const struct arg *value)
{
	struct buf text = {0};
	int status = 0;
	for (size_t at = 0; at < value->length && status == 0; at += sizeof(uint64_t)) {
		uint64_t seq;
		memcpy(&seq, value->bytes + at, sizeof(seq));
		status = buf_printf(&text, "%s%" PRIu64, at > 0 ? "," : "", seq + 1);
	}
	if (status == 0)
		status = task_pack(pairs, text.bytes, text.length);
	buf_fini(&text);
	return status;
}

static int
pack_override(struct buf *pairs, enum override_kind kind, const struct arg *value)
{
	const char *name = name_of_kind(kind);
	char digits[24];
	int64_t ns;
	if (task_pack(pairs, name, strlen(name)) == -1)
		return -1;
	if (kind == OVERRIDE_FROM)
		return pack_from(pairs, value);
	if (kind != OVERRIDE_TIMEOUT)
		return task_pack(pairs, value->bytes, value->length);
	memcpy(&ns, value->bytes, sizeof(ns));
	int length = snprintf(digits, sizeof(digits), "%" PRId64, ns);
	return task_pack(pairs, digits, (size_t)length);
}

/* Names and values by turns; `name` is scratch. */
static int
pack_pairs(struct buf *pairs, struct buf *name, size_t *count, const struct spec *spec,
	   const struct arg *args)
{
	struct arg at = args[0];
	struct arg value;
	enum override_kind kind;
	for (; override_next(&at, &kind, &value); *count += 2)
		if ((kind == OVERRIDE_ENV ? pack_variable(pairs, name, &value)
					  : pack_override(pairs, kind, &value)) == -1)
			return -1;
	for (size_t i = 0; i < spec->member_count; i++, *count += 2) {
		buf_clear(name);
		if (buf_printf(name, "{%s}", spec->members[i].bytes) == -1 ||
		    task_pack(pairs, name->bytes, name->length) == -1 ||
		    task_pack(pairs, args[i + 1].bytes, args[i + 1].length) == -1)
			return -1;
	}
	return 0;
}

int
hidden_append(struct buf *column, const struct spec *spec, const struct arg *args,
	      bool *is_text)
{
	struct buf pairs = {0}, name = {0};
	struct arg *words = NULL;
	size_t count = 0, capacity = 0;
	int status = pack_pairs(&pairs, &name, &count, spec, args);
	if (status == 0 && count > 0)
		status = task_unpack(pairs.bytes, pairs.length, (uint32_t)count, &words,
				     &capacity);
	if (status == 0 && count > 0)
		status = words_append_pairs(column, words, count, is_text);
	free(words);
	buf_fini(&pairs);
	buf_fini(&name);
	return status;
}

/* --- out of it --- */

int
hidden_read(struct hidden *hidden, const char *column, size_t length, bool is_text)
{
	buf_clear(&hidden->packed);
	hidden->count = 0;
	if (length == 0)
		return 0;
	if (words_read(&hidden->packed, &hidden->count, column, length, is_text) == -1 ||
	    hidden->count % 2 != 0)
		return -1;
	return task_unpack(hidden->packed.bytes, hidden->packed.length,
			   (uint32_t)hidden->count, &hidden->pairs, &hidden->capacity);
}

void
hidden_fini(struct hidden *hidden)
{
	buf_fini(&hidden->packed);
	free(hidden->pairs);
	*hidden = (struct hidden){0};
}

static int
add_variable(struct buf *overrides, const struct arg *name, const struct arg *value)
{
	struct buf variable = {0};
	size_t skipped = strlen(ENV_PREFIX);
	int status = -1;
	if (buf_append(&variable, name->bytes + skipped, name->length - skipped) == 0 &&
	    buf_append_char(&variable, '=') == 0 &&
	    buf_append(&variable, value->bytes, value->length) == 0)
		status =
		    override_add(overrides, OVERRIDE_ENV, variable.bytes, variable.length);
	buf_fini(&variable);
	return status;
}

static int
add_from(struct buf *overrides, const struct arg *value)
{
	struct buf seqs = {0};
	int status = 0;
	for (const char *at = value->bytes; at != NULL && status == 0;) {
		char *end;
		uint64_t seq = strtoull(at, &end, 10) - 1;
		status = buf_append(&seqs, &seq, sizeof(seq));
		at = *end == ',' ? end + 1 : NULL;
	}
	if (status == 0)
		status = override_add(overrides, OVERRIDE_FROM, seqs.bytes, seqs.length);
	buf_fini(&seqs);
	return status;
}

/* What the name means for the task; members are not looked at. 0, -1 without memory. */
static int
add_override(struct buf *overrides, const struct arg *name, const struct arg *value)
{
	size_t prefix = strlen(ENV_PREFIX);
	if (name->length > prefix && memcmp(name->bytes, ENV_PREFIX, prefix) == 0)
		return add_variable(overrides, name, value);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!is_name(name, kinds[i].name))
			continue;
		if (kinds[i].kind == OVERRIDE_FROM)
			return add_from(overrides, value);
		if (kinds[i].kind != OVERRIDE_TIMEOUT)
			return override_add(overrides, kinds[i].kind, value->bytes,
					    value->length);
		int64_t ns = strtoll(value->bytes, NULL, 10);
		return override_add(overrides, OVERRIDE_TIMEOUT, (const char *)&ns,
				    sizeof(ns));
	}
	return 0;
}

/* The value of {name}; NULL: there is none. */
static const struct arg *
find_member(const struct hidden *hidden, const struct arg *name)
{
	for (size_t i = 0; i + 1 < hidden->count; i += 2) {
		const struct arg *pair = &hidden->pairs[i];
		if (pair->length == name->length + 2 && pair->bytes[0] == '{' &&
		    memcmp(pair->bytes + 1, name->bytes, name->length) == 0)
			return pair + 1;
	}
	return NULL;
}

static int
pack_members(struct buf *packed, const struct spec *spec, const struct hidden *hidden,
	     struct err *err)
{
	for (size_t i = 0; i < spec->member_count; i++) {
		const struct arg *value = find_member(hidden, &spec->members[i]);
		if (value == NULL)
			return err_set(err, ERR_USAGE,
				       "the record does not know {%.60s}: no template of "
				       "its run named it",
				       spec->members[i].bytes);
		if (task_pack(packed, value->bytes, value->length) == -1)
			return err_no_memory(err);
	}
	return 0;
}

int
hidden_pack(struct buf *packed, const struct spec *spec, const struct hidden *hidden,
	    struct err *err)
{
	struct buf overrides = {0};
	int status = 0;
	if (spec->hidden_count == 0)
		return hidden->count == 0
			   ? 0
			   : err_set(err, ERR_USAGE,
				     "the record is of tasks from JSON lines: give their "
				     "file again (--jsonl)");
	for (size_t i = 0; i + 1 < hidden->count && status == 0; i += 2)
		status = add_override(&overrides, &hidden->pairs[i], &hidden->pairs[i + 1]);
	if (status == 0)
		status = task_pack(packed, overrides.length > 0 ? overrides.bytes : "",
				   overrides.length);
	buf_fini(&overrides);
	return status == -1 ? err_no_memory(err) : pack_members(packed, spec, hidden, err);
}
