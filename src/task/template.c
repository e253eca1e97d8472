/* template.c: see template.h. Compiling; expansion is in template_expand.c. */
#include "task/template.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "task/shell_words.h"
#include "task/template_compiled.h"

void
template_free(struct template *template)
{
	if (template == NULL)
		return;
	form_fini(&template->argv_form);
	form_fini(&template->line_form);
	for (size_t i = 0; i < template->out_count; i++)
		form_fini(&template->outs[i]);
	free(template->outs);
	buf_fini(&template->line_text);
	buf_fini(&template->split_text);
	rpl_table_free(template->rpls);
	free(template);
}

/* Whether the words hold GNU parallel's {= perl =}, which may go over several of them. */
static bool
has_perl(char *const *words, size_t word_count)
{
	bool is_open = false;
	for (size_t i = 0; i < word_count; i++) {
		const char *at = words[i];
		if (!is_open) {
			at = strstr(at, "{=");
			is_open = at != NULL;
		}
		if (is_open && strstr(at == words[i] ? at : at + 2, "=}") != NULL)
			return true;
	}
	return false;
}

static int
refuse_perl(char *const *words, size_t word_count, struct err *err)
{
	if (!has_perl(words, word_count))
		return 0;
	return err_set(err, ERR_USAGE,
		       "Perl expressions ({= =}) are not supported; use --rpl with "
		       "s/regex/replacement/ or a shell command line");
}

/*
 * The replacement string for all values under whatever name it has, to append where
 * there is none.
 */
static int
add_default_value(struct template *template, struct form *form, struct err *err)
{
	static const struct edit no_edit = {.kind = EDIT_NONE};
	struct part part = {.kind = PART_VALUE, .edit = &no_edit};
	size_t word_count;
	form_words(form, &word_count);
	bool has_gap = form == &template->line_form && word_count > 0;
	struct word word = {
	    .first_part = form->parts.length / sizeof(part),
	    .part_count = 1,
	    .gap = has_gap ? " " : "",
	    .gap_length = has_gap ? 1 : 0,
	    .has_all = true,
	};
	if (buf_append(&form->parts, &part, sizeof(part)) == -1 ||
	    buf_append(&form->words, &word, sizeof(word)) == -1)
		return err_no_memory(err);
	return 0;
}

static int
compile_words(struct template *template, const struct spec *spec, struct err *err)
{
	struct form *form = &template->argv_form;
	for (size_t i = 0; i < spec->word_count; i++)
		if (form_add_word(form, template->rpls, spec->words[i],
				  strlen(spec->words[i]), err) == -1)
			return -1;
	return form_has_values(form) ? 0 : add_default_value(template, form, err);
}

static int
join_words(const struct spec *spec, struct buf *line)
{
	for (size_t i = 0; i < spec->word_count; i++) {
		if (i > 0 && buf_append_char(line, ' ') == -1)
			return -1;
		if (buf_append_str(line, spec->words[i]) == -1)
			return -1;
	}
	return buf_str(line) == NULL ? -1 : 0;
}

static int
compile_line(struct template *template, const struct spec *spec, struct err *err)
{
	struct form *form = &template->line_form;
	if (join_words(spec, &template->line_text) == -1)
		return err_no_memory(err);
	if (form_add_line(form, template->rpls, template->line_text.bytes,
			  template->line_text.length, err) == -1)
		return -1;
	return form_has_values(form) ? 0 : add_default_value(template, form, err);
}

/* The command's name when it is the same for all tasks, else NULL. */
static const char *
first_word_text(const struct template *template, struct buf *name)
{
	size_t count;
	const struct word *words = form_words(&template->argv_form, &count);
	for (size_t i = 0; count > 0 && i < words[0].part_count; i++) {
		const struct part *part = &form_parts(&template->argv_form, &words[0])[i];
		if (part->kind != PART_TEXT ||
		    buf_append(name, part->bytes, part->length) == -1)
			return NULL;
	}
	return buf_str(name);
}

/*
 * Whether a command of this form may go without the shell that GNU parallel would give
 * it to.
 */
static bool
is_shell_free(const struct template *template)
{
	struct buf name = {0};
	struct buf starts = {0};
	struct buf text = {0};
	const char *first = first_word_text(template, &name);
	bool is_free = first != NULL && !shell_words_has_function(first, environ) &&
		       strpbrk(first, " \t") == NULL &&
		       shell_words_split(first, strlen(first), &text, &starts) == 1;
	buf_fini(&text);
	buf_fini(&starts);
	buf_fini(&name);
	return is_free;
}

/*
 * GNU parallel's rule: values that are the command's name, or a part of it, are themselves
 * pieces of a command line, as they would be if there were no command.
 */
static bool
begins_with_value(const struct form *form)
{
	size_t count;
	const struct word *words = form_words(form, &count);
	for (size_t i = 0; i < words[0].part_count; i++) {
		const struct part *part = &form_parts(form, &words[0])[i];
		if (part->kind != PART_TEXT)
			return true;
		if (memchr(part->bytes, '=', part->length) != NULL ||
		    memchr(part->bytes, '\n', part->length) != NULL)
			return false;
	}
	return false;
}

/* Words that GNU parallel would quote and give to a shell. */
static int
compile_quoted(struct template *template, const struct spec *spec, struct err *err)
{
	if (compile_words(template, spec, err) == -1)
		return -1;
	if (template->is_plain_shell && is_shell_free(template)) {
		template->shape = SHAPE_ARGV;
		template->is_split = true;
	} else {
		template->shape = SHAPE_QUOTED_LINE;
	}
	return 0;
}

static int
compile_split(struct template *template, struct err *err)
{
	template->shape = SHAPE_LINE;
	if (!template->is_plain_shell)
		return 0;
	int status = form_split_line(&template->argv_form, &template->line_form,
				     &template->split_text, err);
	if (status == 1 && is_shell_free(template)) {
		template->shape = SHAPE_ARGV;
		template->is_split = true;
	}
	return status == -1 ? -1 : 0;
}

static int
compile(struct template *template, const struct spec *spec, struct err *err)
{
	if (spec->word_count == 0) {
		template->shape = SHAPE_INPUT;
		return add_default_value(template, &template->line_form, err);
	}
	if (refuse_perl(spec->words, spec->word_count, err) == -1)
		return -1;
	if (spec->dialect != SPEC_PARALLEL && (spec->word_count > 1 || spec->is_quoted)) {
		template->shape = SHAPE_ARGV;
		return compile_words(template, spec, err);
	}
	if (spec->is_quoted)
		return compile_quoted(template, spec, err);
	if (compile_line(template, spec, err) == -1)
		return -1;
	if (spec->dialect == SPEC_PARALLEL && begins_with_value(&template->line_form)) {
		template->shape = SHAPE_INPUT;
		return 0;
	}
	return compile_split(template, err);
}

/* Before {out} is known: an output's name cannot hold one. */
static int
compile_outs(struct template *template, const struct spec *spec, struct err *err)
{
	template->outs = calloc(spec->output_count, sizeof(*template->outs));
	if (template->outs == NULL)
		return err_no_memory(err);
	template->out_count = spec->output_count;
	if (refuse_perl(spec->outputs, spec->output_count, err) == -1)
		return -1;
	for (size_t i = 0; i < spec->output_count; i++)
		if (form_add_word(&template->outs[i], template->rpls, spec->outputs[i],
				  strlen(spec->outputs[i]), err) == -1)
			return -1;
	rpl_table_set_outs(template->rpls, spec->output_count);
	return 0;
}

/* A command that does not name an output cannot write it. */
static int
check_outs(const struct template *template, struct err *err)
{
	for (size_t i = 1; i <= template->out_count; i++) {
		if (form_has_out(&template->argv_form, i) ||
		    form_has_out(&template->line_form, i))
			continue;
		if (i == 1)
			return err_set(err, ERR_USAGE,
				       "--output: the command has no {out} to write to");
		return err_set(err, ERR_USAGE,
			       "--output: the command has no {out%zu} to write to", i);
	}
	return 0;
}

/* Whether those of the job have nothing for a shell to read when it starts. */
static bool
has_plain_variables(const struct spec *spec, const char *shell)
{
	for (size_t i = 0; i < spec->env_count; i++) {
		char *const one[] = {(char *)(uintptr_t)spec->env[i], NULL};
		if (!shell_words_is_plain_shell(shell, one) ||
		    shell_words_has_functions(one))
			return false;
	}
	return true;
}

static struct template *
template_alloc(const struct spec *spec, const struct arg *names, size_t name_count,
	       struct err *err)
{
	struct template *template = calloc(1, sizeof(*template));
	if (template == NULL) {
		err_no_memory(err);
		return NULL;
	}
	template->shell = spec->shell == NULL ? "/bin/sh" : spec->shell;
	template->hidden_count = spec->hidden_count;
	template->repeats_words =
	    spec->repeats_context || spec->group == SPEC_GROUP_FILL_CONTEXT;
	template->is_filled =
	    spec->group == SPEC_GROUP_FILL || spec->group == SPEC_GROUP_FILL_CONTEXT;
	/* An initializer may define functions that only a shell knows of. */
	template->is_plain_shell = spec->initializer == NULL &&shell_words_is_plain_shell(
							    template->shell, environ) &&
				   has_plain_variables(spec, template->shell);
	template->rpls = rpl_table_new(spec, names, name_count, err);
	if (template->rpls == NULL ||
	    (spec->output_count > 0 && compile_outs(template, spec, err) == -1)) {
		template_free(template);
		return NULL;
	}
	return template;
}

struct template *
template_new(const struct spec *spec, const struct arg *names, size_t name_count,
	     struct err *err)
{
	struct template *template = template_alloc(spec, names, name_count, err);
	if (template != NULL &&
	    (compile(template, spec, err) == -1 || check_outs(template, err) == -1)) {
		template_free(template);
		return NULL;
	}
	return template;
}

struct template *
template_new_text(const struct spec *spec, const char *text, const struct arg *names,
		  size_t name_count, struct err *err)
{
	struct template *template = template_alloc(spec, names, name_count, err);
	if (template == NULL)
		return NULL;
	template->shape = SHAPE_TEXT;
	template->repeats_words = false;
	if (refuse_perl((char *const[]){(char *)(uintptr_t)text}, 1, err) == -1)
		goto free_template;
	if (buf_append_str(&template->line_text, text) == -1 ||
	    buf_str(&template->line_text) == NULL) {
		err_no_memory(err);
		goto free_template;
	}
	if (form_add_word(&template->line_form, template->rpls, template->line_text.bytes,
			  template->line_text.length, err) == -1)
		goto free_template;
	return template;
free_template:
	template_free(template);
	return NULL;
}

size_t
template_text_start(const struct template *template)
{
	size_t word_count, length = 0;
	const struct word *word = form_words(&template->line_form, &word_count);
	const struct part *parts = form_parts(&template->line_form, word);
	for (size_t i = 0; i < word->part_count && parts[i].kind == PART_TEXT; i++)
		length += parts[i].length;
	return length;
}
