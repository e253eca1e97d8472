/* members.c: see members.h. */
#include "input/members.h"

#include <string.h>

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool
is_inner(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || c == '-';
}

/* The length of the name behind a brace, 0: this is no replacement string. */
static size_t
name_length(const char *text, bool has_plus)
{
	size_t length = 0;
	if (!is_letter(text[0]))
		return 0;
	while (is_inner(text[length]))
		length++;
	if (has_plus && text[length] != '\0' && strchr(":%#/^,", text[length]) != NULL)
		return length;
	size_t edit = strspn(text + length, "./+");
	return text[length + edit] == '}' ? length : 0;
}

/* {out}, {out2}: the files that a task makes. */
static bool
is_output(const struct spec *spec, const char *name, size_t length)
{
	return spec->output_count > 0 && length >= 3 && memcmp(name, "out", 3) == 0 &&
	       strspn(name + 3, "0123456789") >= length - 3;
}

/* Whether --output, --rpl or --plus says what {name} is. */
static bool
is_taken(const struct spec *spec, const char *name, size_t length)
{
	if (is_output(spec, name, length))
		return true;
	if (spec->has_plus && length == 4 && memcmp(name, "slot", 4) == 0)
		return true;
	for (size_t i = 0; i < spec->rpl_count; i++) {
		const char *known = spec->rpls[i].name;
		if (known[0] == '{' && strncmp(known + 1, name, length) == 0 &&
		    known[1 + length] == '}')
			return true;
	}
	return false;
}

static bool
is_known(const struct spec *spec, const char *name, size_t length)
{
	for (size_t i = 0; i < spec->member_count; i++)
		if (spec->members[i].length == length &&
		    memcmp(spec->members[i].bytes, name, length) == 0)
			return true;
	return false;
}

static int
add_member(struct spec *spec, const char *name, size_t length)
{
	void *members =
	    spec_grow(spec, spec->members, spec->member_count, sizeof(*spec->members));
	char *copy = spec_alloc(spec, length + 1);
	if (members == NULL || copy == NULL)
		return -1;
	memcpy(copy, name, length);
	spec->members = members;
	spec->members[spec->member_count++] = (struct arg){copy, length};
	return 0;
}

/* All names in a template. */
static int
scan(struct spec *spec, const char *text)
{
	for (const char *at = strchr(text, '{'); at != NULL; at = strchr(at + 1, '{')) {
		size_t length = name_length(at + 1, spec->has_plus);
		if (length == 0 || (at > text && at[-1] == '$') ||
		    is_taken(spec, at + 1, length) || is_known(spec, at + 1, length))
			continue;
		if (add_member(spec, at + 1, length) == -1)
			return -1;
	}
	return 0;
}

/* What makes other values of an input than an object has. */
static int
check(const struct spec *spec, struct err *err)
{
	const char *other = NULL;
	if (spec->input_count > 1)
		other = "other inputs";
	else if (spec->group != SPEC_GROUP_ONE || spec->is_valueless)
		other = "several inputs to a task, nor with none";
	else if (spec->colsep != NULL || spec->has_header)
		other = "columns";
	if (other == NULL)
		return 0;
	return err_set(
	    err, ERR_USAGE,
	    "JSON lines are tasks, an object each: they do not go together with %s", other);
}

int
members_settle(struct spec *spec, struct err *err)
{
	bool has_objects = spec->takes_objects;
	for (size_t i = 0; i < spec->input_count; i++) {
		has_objects |= spec->inputs[i].kind == SPEC_INPUT_JSONL;
		if (spec->inputs[i].kind != SPEC_INPUT_CSV)
			continue;
		spec->inputs[i].has_header |= spec->has_header;
		if (spec->colsep != NULL)
			return err_set(
			    err, ERR_USAGE,
			    "CSV has its own separator, and no other (--colsep) "
			    "beside it");
	}
	spec->takes_objects = has_objects;
	spec->hidden_count = spec->stage_index > 0 ? 1 : 0;
	if (!has_objects)
		return 0;
	if (check(spec, err) == -1)
		return -1;
	int status = spec->tag == NULL ? 0 : scan(spec, spec->tag);
	if (spec->results != NULL && status == 0)
		status = scan(spec, spec->results);
	for (size_t i = 0; i < spec->output_count && status == 0; i++)
		status = scan(spec, spec->outputs[i]);
	for (size_t i = 0; i < spec->word_count && status == 0; i++)
		status = scan(spec, spec->words[i]);
	if (status == -1)
		return err_no_memory(err);
	spec->hidden_count = 1 + (uint32_t)spec->member_count;
	return 0;
}
