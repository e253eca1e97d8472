/* template_expand.c: see template.h. From a compiled template to argv, line or text. */
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/quote.h"
#include "task/shell_words.h"
#include "task/template.h"
#include "task/template_compiled.h"

#define DECIMAL_BYTES 20 /* of the largest uint64_t */

/* One expansion at work. */
struct expansion {
	const struct template *template;
	struct template_values values; /* those that are not hidden */
	const struct arg *members;
	struct buf *text;
	struct buf *scratch; /* two of them */
	struct buf *starts; /* of size_t: where each argv element begins; NULL: a line, words apart by a blank */
	bool is_quoted; /* values are quoted for a shell */
	bool has_nul;
	bool is_word_there; /* the word at hand has text or a value in it, be it an empty one */
};

static struct expansion
expansion_of(const struct template *template, const struct template_values *values,
	     struct buf *text, struct buf *scratch)
{
	struct expansion x = {
	    .template = template, .values = *values, .text = text, .scratch = scratch};
	if (template->hidden_count == 0)
		return x;
	x.members = values->args + 1;
	x.values.args += template->hidden_count;
	x.values.arg_count -= template->hidden_count;
	return x;
}

static int
append_number(struct buf *text, uint64_t number)
{
	char digits[DECIMAL_BYTES];
	size_t at = sizeof(digits);
	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	return buf_append(text, digits + at, sizeof(digits) - at);
}

static int
append_value(struct expansion *x, const struct part *part, const struct arg *value)
{
	struct arg edited = *value;
	if (part->edit->kind != EDIT_NONE &&
	    edit_apply(part->edit, value, x->scratch, &edited) == -1)
		return -1;
	x->is_word_there = true;
	if (memchr(edited.bytes, '\0', edited.length) != NULL)
		x->has_nul = true;
	return x->is_quoted ? quote_append(x->text, edited.bytes, edited.length)
			    : buf_append(x->text, edited.bytes, edited.length);
}

/* Between two values that are words of their own. */
static int
append_break(struct expansion *x)
{
	if (x->starts == NULL)
		return buf_append_char(x->text, ' ');
	if (buf_append_char(x->text, '\0') == -1)
		return -1;
	return buf_append(x->starts, &x->text->length, sizeof(x->text->length));
}

/* Values first, first + step, ... */
static int
append_values(struct expansion *x, const struct part *part, size_t first, size_t step)
{
	for (size_t i = first; i < x->values.arg_count; i += step)
		if ((i > first && append_break(x) == -1) ||
		    append_value(x, part, &x->values.args[i]) == -1)
			return -1;
	return 0;
}

/*
 * {n}, {-n}: nothing when there are fewer values; with -X and -m one out of each input.
 */
static int
append_indexed(struct expansion *x, const struct part *part)
{
	if (part->index >= RPL_MEMBER)
		return append_value(x, part, &x->members[part->index - RPL_MEMBER]);
	size_t count = x->values.arg_count;
	size_t column_count = count;
	if (x->template->is_filled && x->values.column_count > 0 &&
	    x->values.column_count < count)
		column_count = x->values.column_count;
	size_t distance = (size_t)abs(part->index);
	if (distance > column_count)
		return 0;
	return append_values(x, part,
			     part->index > 0 ? distance - 1 : column_count - distance,
			     column_count);
}

static int append_out(struct expansion *x, const struct part *part);

/*
 * `current`: the value {} stands for in this copy of a repeated word; NULL: all of them.
 */
static int
append_part(struct expansion *x, const struct part *part, const struct arg *current)
{
	switch (part->kind) {
	case PART_TEXT:
		x->is_word_there = true;
		return buf_append(x->text, part->bytes, part->length);
	case PART_SEQ:
		x->is_word_there = true;
		return append_number(x->text, x->values.seq + 1);
	case PART_SLOT:
		x->is_word_there = true;
		return append_number(x->text, x->values.slot);
	case PART_OUT:
		return append_out(x, part);
	case PART_VALUE:
		break;
	}
	if (part->index != 0)
		return append_indexed(x, part);
	return current != NULL ? append_value(x, part, current)
			       : append_values(x, part, 0, 1);
}

static int
append_parts(struct expansion *x, const struct part *parts, size_t count,
	     const struct arg *current)
{
	for (size_t i = 0; i < count; i++)
		if (append_part(x, &parts[i], current) == -1)
			return -1;
	return 0;
}

/* An output's own name; its words are never repeated. */
static int
append_out_name(struct expansion *x, size_t index)
{
	const struct form *form = &x->template->outs[index];
	size_t count;
	const struct word *word = form_words(form, &count);
	return append_parts(x, form_parts(form, word), word->part_count, NULL);
}

static int
append_out(struct expansion *x, const struct part *part)
{
	size_t index = (size_t)part->index - 1;
	struct buf name = {0};
	struct expansion inner = *x;
	inner.text = &name;
	inner.starts = NULL;
	inner.is_quoted = false;
	int status = x->values.outs == NULL
			 ? append_out_name(&inner, index)
			 : buf_append(&name, x->values.outs[index].bytes,
				      x->values.outs[index].length);
	x->is_word_there = true;
	x->has_nul = x->has_nul || inner.has_nul;
	if (status == 0 && buf_str(&name) == NULL)
		status = -1;
	/* Where values bring the command with them, an output is still but a word of it. */
	bool is_quoted = x->is_quoted || x->template->shape == SHAPE_INPUT;
	if (status == 0)
		status = is_quoted ? quote_append(x->text, name.bytes, name.length)
				   : buf_append(x->text, name.bytes, name.length);
	buf_fini(&name);
	return status;
}

static int
append_word(struct expansion *x, const struct form *form, const struct word *word)
{
	const struct part *parts = form_parts(form, word);
	const struct template_values *values = &x->values;

	x->is_word_there = word->is_fixed;
	if (!x->template->repeats_words || !word->has_all || values->arg_count == 0)
		return append_parts(x, parts, word->part_count, NULL);
	for (size_t i = 0; i < values->arg_count; i++)
		if ((i > 0 && append_break(x) == -1) ||
		    append_parts(x, parts, word->part_count, &values->args[i]) == -1)
			return -1;
	return 0;
}

static int
expand_line(struct expansion *x)
{
	const struct form *form = &x->template->line_form;
	size_t count;
	const struct word *words = form_words(form, &count);
	for (size_t i = 0; i < count; i++)
		if (buf_append(x->text, words[i].gap, words[i].gap_length) == -1 ||
		    append_word(x, form, &words[i]) == -1)
			return -1;
	return 0;
}

/*
 * A word of nothing but {n} without an n-th value is no word, as it would be none for a
 * shell.
 */
static int
expand_words(struct expansion *x)
{
	const struct form *form = &x->template->argv_form;
	size_t count;
	const struct word *words = form_words(form, &count);
	for (size_t i = 0; i < count; i++) {
		size_t starts_length = x->starts->length;
		if (buf_append(x->starts, &x->text->length, sizeof(x->text->length)) == -1 ||
		    append_word(x, form, &words[i]) == -1)
			return -1;
		if (!x->is_word_there)
			x->starts->length = starts_length;
		else if (buf_append_char(x->text, '\0') == -1)
			return -1;
	}
	return 0;
}

static int
grow_argv(struct command *command, size_t argc)
{
	if (argc + 1 <= command->argv_capacity)
		return 0;
	size_t capacity = argc + 1 + argc / 2;
	char **argv = reallocarray(command->argv, capacity, sizeof(*argv));
	if (argv == NULL)
		return -1;
	command->argv = argv;
	command->argv_capacity = capacity;
	return 0;
}

/* argv from the starts in command->offsets, once command->text does not move any more. */
static int
build_argv(struct command *command)
{
	const size_t *starts = (const size_t *)command->offsets.bytes;
	size_t argc = command->offsets.length / sizeof(*starts);
	if (grow_argv(command, argc) == -1)
		return -1;
	for (size_t i = 0; i < argc; i++)
		command->argv[i] = command->text.bytes + starts[i];
	command->argv[argc] = NULL;
	command->argc = argc;
	return 0;
}

/* argv from the line in command->text, which has a spare byte in front. */
static int
build_shell_argv(struct command *command, const char *shell)
{
	static char dash_c[] = "-c";
	if (buf_str(&command->text) == NULL || grow_argv(command, 3) == -1)
		return -1;
	/*
	 * Behind -c a - or + still opens an option: the blank in front makes it a
	 * command.
	 */
	char *line = command->text.bytes + 1;
	if (*line == '-' || *line == '+')
		line--;
	command->argv[0] = (char *)(uintptr_t)shell;
	command->argv[1] = dash_c;
	command->argv[2] = line;
	command->argv[3] = NULL;
	command->argc = 3;
	command->is_shell = true;
	return 0;
}

/* The command as a line for the shell, whatever its shape. */
static int
append_shell_line(struct expansion *x)
{
	struct command words = {0};
	int status;

	x->is_quoted = x->template->shape != SHAPE_INPUT;
	if (x->template->line_form.words.length > 0)
		return expand_line(x);
	struct expansion inner = *x;
	inner.is_quoted = false;
	inner.text = &words.text;
	inner.starts = &words.offsets;
	status = expand_words(&inner);
	x->has_nul = inner.has_nul;
	const size_t *starts = (const size_t *)words.offsets.bytes;
	size_t count = words.offsets.length / sizeof(*starts);
	for (size_t i = 0; status == 0 && i < count; i++) {
		size_t end = (i + 1 < count ? starts[i + 1] : words.text.length) - 1;
		if ((i > 0 && buf_append_char(x->text, ' ') == -1) ||
		    quote_append(x->text, words.text.bytes + starts[i], end - starts[i]) ==
			-1)
			status = -1;
	}
	command_fini(&words);
	return status;
}

static struct expansion
command_begin(const struct template *template, const struct template_values *values,
	      struct command *command)
{
	buf_clear(&command->text);
	buf_clear(&command->offsets);
	command->argc = 0;
	command->is_shell = false;
	command->is_split = false;
	command->has_nul = false;
	return expansion_of(template, values, &command->text, command->edited);
}

static int
expand_for_shell(struct expansion *x, struct command *command)
{
	buf_clear(&command->text);
	if (buf_append_char(&command->text, ' ') == -1 || append_shell_line(x) == -1)
		return -1;
	command->has_nul = x->has_nul;
	return build_shell_argv(command, x->template->shell);
}

static int
expand_argv(struct expansion *x, struct command *command)
{
	x->starts = &command->offsets;
	if (expand_words(x) == -1)
		return -1;
	command->has_nul = x->has_nul;
	command->is_split = x->template->is_split;
	return build_argv(command);
}

/* Directly where the line has nothing for a shell to do, else as a shell's line. */
static int
expand_input_command(struct expansion *x, struct command *command)
{
	struct buf *line = &command->line;
	int split = 0;

	buf_clear(line);
	x->text = line;
	if (expand_line(x) == -1)
		return -1;
	if (!x->has_nul && line->length > 0 && x->template->is_plain_shell)
		split = shell_words_split(line->bytes, line->length, &command->text,
					  &command->offsets);
	if (split == -1)
		return -1;
	if (split == 1 && !shell_words_has_function(command->text.bytes, environ)) {
		command->is_split = true;
		return build_argv(command);
	}
	x->text = &command->text;
	return expand_for_shell(x, command);
}

int
template_expand_shell(const struct template *template, const struct template_values *values,
		      struct command *command, struct err *err)
{
	struct expansion x = command_begin(template, values, command);
	return expand_for_shell(&x, command) == -1 ? err_no_memory(err) : 0;
}

int
template_expand(const struct template *template, const struct template_values *values,
		struct command *command, struct err *err)
{
	struct expansion x = command_begin(template, values, command);
	int status = -1;

	switch (template->shape) {
	case SHAPE_ARGV:
		status = expand_argv(&x, command);
		break;
	case SHAPE_INPUT:
		status = expand_input_command(&x, command);
		break;
	case SHAPE_QUOTED_LINE:
	case SHAPE_LINE:
	case SHAPE_TEXT:
		status = expand_for_shell(&x, command);
		break;
	}
	return status == -1 ? err_no_memory(err) : 0;
}

int
template_append_line(const struct template *template, const struct template_values *values,
		     struct buf *line, struct err *err)
{
	struct buf scratch[2] = {{0}};
	struct expansion x = expansion_of(template, values, line, scratch);
	int status = append_shell_line(&x);
	buf_fini(&scratch[0]);
	buf_fini(&scratch[1]);
	return status == -1 ? err_no_memory(err) : 0;
}

size_t
template_output_count(const struct template *template)
{
	return template->out_count;
}

int
template_append_output(const struct template *template, size_t index,
		       const struct template_values *values, struct buf *name,
		       struct err *err)
{
	struct buf scratch[2] = {{0}};
	struct expansion x = expansion_of(template, values, name, scratch);
	int status = append_out_name(&x, index);
	buf_fini(&scratch[0]);
	buf_fini(&scratch[1]);
	return status == -1 ? err_no_memory(err) : 0;
}

int
template_expand_text(const struct template *template, const struct template_values *values,
		     struct buf *text, struct err *err)
{
	struct buf scratch[2] = {{0}};
	struct expansion x = expansion_of(template, values, text, scratch);
	int status = expand_line(&x);
	buf_fini(&scratch[0]);
	buf_fini(&scratch[1]);
	return status == -1 ? err_no_memory(err) : 0;
}

void
command_fini(struct command *command)
{
	free(command->argv);
	buf_fini(&command->text);
	buf_fini(&command->offsets);
	buf_fini(&command->edited[0]);
	buf_fini(&command->edited[1]);
	buf_fini(&command->line);
	*command = (struct command){0};
}
