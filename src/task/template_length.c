/*
 * template_length.c: see template.h. How long an expanded command is, whole or bit by
 * bit.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/quote.h"
#include "task/template.h"
#include "task/template_compiled.h"

#define SEQ_DIGITS 20
#define SLOT_DIGITS 10
#define OUT_BYTES 1024 /* what an output's name is taken to need, before it is known */

size_t
template_length(const struct template *template, const struct template_values *values)
{
	struct command command = {0};
	size_t length = SIZE_MAX;
	if (template_expand(template, values, &command, NULL) == 0) {
		length = 0;
		for (size_t i = 0; i < command.argc; i++)
			length += strlen(command.argv[i]) + 1;
	}
	command_fini(&command);
	return length;
}

static bool
is_line(const struct template *template)
{
	return template->shape != SHAPE_ARGV;
}

bool
template_is_line(const struct template *template)
{
	return is_line(template);
}

static const struct form *
counted_form(const struct template *template)
{
	bool has_argv_form =
	    template->shape == SHAPE_ARGV || template->shape == SHAPE_QUOTED_LINE;
	return has_argv_form ? &template->argv_form : &template->line_form;
}

/* What all values together need; `all_count`: parts that stand for all of them. */
struct word_length {
	size_t fixed;
	size_t all_count;
};

static struct word_length
word_measure(const struct form *form, const struct word *word)
{
	struct word_length length = {0};
	const struct part *parts = form_parts(form, word);
	for (size_t i = 0; i < word->part_count; i++) {
		if (parts[i].kind == PART_TEXT)
			length.fixed += parts[i].length;
		else if (parts[i].kind == PART_SEQ)
			length.fixed += SEQ_DIGITS;
		else if (parts[i].kind == PART_SLOT)
			length.fixed += SLOT_DIGITS;
		else if (parts[i].kind == PART_OUT)
			length.fixed += OUT_BYTES;
		else if (parts[i].index == 0)
			length.all_count++;
	}
	return length;
}

/*
 * Each value comes with its own break (a blank or a NUL), of which the first of a list
 * needs none: that one is taken off here.
 */
static ssize_t
word_base_length(const struct template *template, const struct form *form,
		 const struct word *word)
{
	struct word_length length = word_measure(form, word);
	ssize_t gap = is_line(template) ? (ssize_t)word->gap_length : 1;
	if (template->shape == SHAPE_QUOTED_LINE)
		gap = 1 + 2; /* its blank and quotes */
	if (template->repeats_words && word->has_all)
		return gap - 1;
	return gap + (ssize_t)length.fixed - (ssize_t)length.all_count;
}

/* Whether a line could begin as an option would, which costs it a blank in front. */
static bool
may_begin_with_sign(const struct template *template)
{
	if (template->shape != SHAPE_LINE)
		return template->shape == SHAPE_INPUT;
	size_t count;
	const struct word *words = form_words(&template->line_form, &count);
	const struct part *part = form_parts(&template->line_form, &words[0]);
	if (words[0].part_count == 0 || part->kind == PART_SEQ || part->kind == PART_SLOT)
		return false;
	return part->kind == PART_VALUE || part->kind == PART_OUT ||
	       part->bytes[0] == '-' || part->bytes[0] == '+';
}

size_t
template_base_length(const struct template *template)
{
	static const char option[] = "-c";
	ssize_t length = 0;
	size_t count;
	const struct form *form = counted_form(template);
	const struct word *words = form_words(form, &count);
	if (is_line(template))
		length += (ssize_t)(strlen(template->shell) + 1 + sizeof(option) + 1);
	if (may_begin_with_sign(template))
		length++;
	for (size_t i = 0; i < count; i++)
		length += word_base_length(template, form, &words[i]);
	return length < 0 ? 0 : (size_t)length;
}

static size_t
part_value_length(const struct template *template, const struct part *part,
		  const struct arg *value, struct buf scratch[2])
{
	struct arg edited = *value;
	if (edit_apply(part->edit, value, scratch, &edited) == -1)
		return SIZE_MAX / 4; /* it will not fit */
	if (!is_line(template) || template->shape == SHAPE_INPUT)
		return edited.length;
	return quote_length(edited.bytes, edited.length);
}

static size_t
word_value_length(const struct template *template, const struct form *form,
		  const struct word *word, const struct arg *value, struct buf scratch[2])
{
	const struct part *parts = form_parts(form, word);
	bool is_repeated = template->repeats_words && word->has_all;
	size_t length = is_repeated ? word_measure(form, word).fixed + 1 : 0;
	for (size_t i = 0; i < word->part_count; i++)
		if (parts[i].kind == PART_VALUE)
			length += part_value_length(template, &parts[i], value, scratch) +
				  (is_repeated ? 0 : 1);
	return length;
}

size_t
template_value_length(const struct template *template, const struct arg *value)
{
	struct buf scratch[2] = {{0}};
	size_t length = 0;
	size_t count;
	const struct form *form = counted_form(template);
	const struct word *words = form_words(form, &count);
	for (size_t i = 0; i < count; i++)
		length += word_value_length(template, form, &words[i], value, scratch);
	buf_fini(&scratch[0]);
	buf_fini(&scratch[1]);
	return length;
}
