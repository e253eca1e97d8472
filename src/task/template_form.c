/* template_form.c: see template_form.h. */
#include "task/template_form.h"

#include <string.h>

#include "task/shell_words.h"

void
form_fini(struct form *form)
{
	buf_fini(&form->parts);
	buf_fini(&form->words);
}

const struct word *
form_words(const struct form *form, size_t *count)
{
	*count = form->words.length / sizeof(struct word);
	return (const struct word *)form->words.bytes;
}

const struct part *
form_parts(const struct form *form, const struct word *word)
{
	const struct part *parts = (const struct part *)form->parts.bytes;
	return word->part_count == 0 ? parts : parts + word->first_part;
}

static size_t
part_count(const struct buf *parts)
{
	return parts->length / sizeof(struct part);
}

bool
form_has_values(const struct form *form)
{
	const struct part *parts = (const struct part *)form->parts.bytes;
	for (size_t i = 0; i < part_count(&form->parts); i++)
		if (parts[i].kind != PART_TEXT && parts[i].kind != PART_OUT)
			return true;
	return false;
}

bool
form_has_out(const struct form *form, size_t index)
{
	const struct part *parts = (const struct part *)form->parts.bytes;
	for (size_t i = 0; i < part_count(&form->parts); i++)
		if (parts[i].kind == PART_OUT && (size_t)parts[i].index == index)
			return true;
	return false;
}

static int
add_part(struct buf *parts, const struct part *part, struct err *err)
{
	return buf_append(parts, part, sizeof(*part)) == -1 ? err_no_memory(err) : 0;
}

static int
add_text(struct buf *parts, const char *bytes, size_t length, struct err *err)
{
	struct part part = {.kind = PART_TEXT, .bytes = bytes, .length = length};
	return length == 0 ? 0 : add_part(parts, &part, err);
}

static int
add_rpl(struct buf *parts, const struct rpl *rpl, struct err *err)
{
	struct part part = {.kind = PART_VALUE, .index = rpl->index, .edit = rpl->edit};
	if (rpl->kind == RPL_SEQ)
		part.kind = PART_SEQ;
	else if (rpl->kind == RPL_SLOT)
		part.kind = PART_SLOT;
	else if (rpl->kind == RPL_OUT)
		part.kind = PART_OUT;
	return add_part(parts, &part, err);
}

/* Finds the replacement strings in `text`; appends its parts to `parts`. */
static int
form_scan(struct rpl_table *table, const char *text, size_t length, struct buf *parts,
	  struct err *err)
{
	size_t done = 0;
	for (size_t at = 0; at < length;) {
		struct rpl rpl;
		ssize_t matched = rpl_match(table, text + at, length - at, &rpl, err);
		if (matched == -1)
			return -1;
		if (matched == 0) {
			at++;
			continue;
		}
		if (add_text(parts, text + done, at - done, err) == -1 ||
		    add_rpl(parts, &rpl, err) == -1)
			return -1;
		at += (size_t)matched;
		done = at;
	}
	return add_text(parts, text + done, length - done, err);
}

/* Makes a word of all parts since the last one. */
static int
close_word(struct form *form, size_t first_part, const struct arg *gap, bool is_fixed,
	   struct err *err)
{
	struct word word = {
	    .first_part = first_part,
	    .part_count = part_count(&form->parts) - first_part,
	    .gap = gap->bytes,
	    .gap_length = gap->length,
	    .is_fixed = is_fixed,
	};
	const struct part *parts = form_parts(form, &word);
	for (size_t i = 0; i < word.part_count; i++)
		word.has_all =
		    word.has_all || (parts[i].kind == PART_VALUE && parts[i].index == 0);
	return buf_append(&form->words, &word, sizeof(word)) == -1 ? err_no_memory(err) : 0;
}

int
form_add_word(struct form *form, struct rpl_table *table, const char *text, size_t length,
	      struct err *err)
{
	static const struct arg no_gap = {"", 0};
	size_t first_part = part_count(&form->parts);
	if (form_scan(table, text, length, &form->parts, err) == -1)
		return -1;
	return close_word(form, first_part, &no_gap, length == 0, err);
}

static size_t
count_while_blank(const struct part *part, size_t from, bool is_blank)
{
	size_t at = from;
	while (at < part->length &&
	       (part->bytes[at] == ' ' || part->bytes[at] == '\t') == is_blank)
		at++;
	return at - from;
}

/* A line while it is cut at its blanks. */
struct cutter {
	struct form *form;
	size_t first_part; /* of the word at hand */
	struct arg gap;    /* in front of it */
	struct err *err;
};

static int
cut_text(struct cutter *cutter, const struct part *part)
{
	for (size_t at = 0; at < part->length;) {
		size_t blanks = count_while_blank(part, at, true);
		if (blanks > 0) {
			if (close_word(cutter->form, cutter->first_part, &cutter->gap,
				       false, cutter->err) == -1)
				return -1;
			cutter->first_part = part_count(&cutter->form->parts);
			cutter->gap = (struct arg){part->bytes + at, blanks};
			at += blanks;
		}
		size_t others = count_while_blank(part, at, false);
		if (add_text(&cutter->form->parts, part->bytes + at, others,
			     cutter->err) == -1)
			return -1;
		at += others;
	}
	return 0;
}

int
form_add_line(struct form *form, struct rpl_table *table, const char *text, size_t length,
	      struct err *err)
{
	struct buf scanned = {0};
	struct cutter cutter = {form, part_count(&form->parts), {"", 0}, err};
	int status = form_scan(table, text, length, &scanned, err);
	const struct part *parts = (const struct part *)scanned.bytes;
	for (size_t i = 0; status == 0 && i < part_count(&scanned); i++)
		status = parts[i].kind == PART_TEXT
			     ? cut_text(&cutter, &parts[i])
			     : add_part(&form->parts, &parts[i], err);
	if (status == 0)
		status = close_word(form, cutter.first_part, &cutter.gap, false, err);
	buf_fini(&scanned);
	return status;
}

/* The line with a NUL for each part that is not text. */
static int
encode_line(const struct form *form, struct buf *line)
{
	size_t count;
	const struct word *words = form_words(form, &count);
	for (size_t i = 0; i < count; i++) {
		const struct part *parts = form_parts(form, &words[i]);
		if (buf_append(line, words[i].gap, words[i].gap_length) == -1)
			return -1;
		for (size_t k = 0; k < words[i].part_count; k++)
			if (parts[k].kind == PART_TEXT
				? buf_append(line, parts[k].bytes, parts[k].length) == -1
				: buf_append_char(line, '\0') == -1)
				return -1;
	}
	return 0;
}

static const struct part *
next_value_part(const struct part *part)
{
	while (part->kind == PART_TEXT)
		part++;
	return part;
}

/* A word in which each NUL stands for the next of the parts that are not text. */
static int
decode_word(struct form *form, const char *bytes, size_t length, const struct part **next,
	    struct err *err)
{
	static const struct arg no_gap = {"", 0};
	size_t first_part = part_count(&form->parts);
	for (size_t at = 0; at < length;) {
		const char *hole = memchr(bytes + at, '\0', length - at);
		size_t end = hole == NULL ? length : (size_t)(hole - bytes);
		if (add_text(&form->parts, bytes + at, end - at, err) == -1)
			return -1;
		at = end;
		if (hole == NULL)
			break;
		*next = next_value_part(*next);
		if (add_part(&form->parts, (*next)++, err) == -1)
			return -1;
		at++;
	}
	return close_word(form, first_part, &no_gap, length == 0, err);
}

int
form_split_line(struct form *argv_form, const struct form *line_form, struct buf *text,
		struct err *err)
{
	struct buf line = {0};
	struct buf starts = {0};
	const struct part *next = (const struct part *)line_form->parts.bytes;
	int status = encode_line(line_form, &line);
	if (status == 0)
		status = shell_words_split(line.bytes, line.length, text, &starts);
	if (status == -1)
		err_no_memory(err);
	const size_t *start = (const size_t *)starts.bytes;
	size_t count = starts.length / sizeof(*start);
	for (size_t i = 0; status == 1 && i < count; i++) {
		size_t end = (i + 1 < count ? start[i + 1] : text->length) - 1;
		if (decode_word(argv_form, text->bytes + start[i], end - start[i], &next,
				err) == -1)
			status = -1;
	}
	buf_fini(&starts);
	buf_fini(&line);
	return status;
}
