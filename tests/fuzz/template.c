/*
 * Commands with replacement strings. A byte of bits, then lines: words up to an empty one, then
 * values. An expanded command is as long as was foretold.
 */
#include "task/template.h"
#include "fuzz.h"

#define LINES_MAX 16

enum {
	IS_PARALLEL = 1,
	IS_QUOTED = 2,
	HAS_PLUS = 4,
	IS_FILLED = 8,
	HAS_OUT = 16,
	IS_HIDDEN = 32
};

/* Lines of `text`, which is cut into strings, up to an empty one; moves *text behind that. */
static size_t
take_lines(char **text, char **lines)
{
	size_t count = 0;
	while (*text != NULL && count < LINES_MAX) {
		char *line = strsep(text, "\n");
		if (line[0] == '\0')
			break;
		lines[count++] = line;
	}
	return count;
}

static size_t
length_of(const struct command *command)
{
	size_t length = 0;
	for (size_t i = 0; i < command->argc; i++)
		length += strlen(command->argv[i]) + 1;
	fuzz_expect(command->argv[command->argc] == NULL);
	return length;
}

static void
expand(const struct template *template, const struct template_values *values)
{
	struct command command = {0};
	struct buf line = {0};
	struct err err = {0};
	fuzz_expect(template_expand(template, values, &command, &err) == 0);
	if (!command.has_nul)
		fuzz_expect(template_length(template, values) == length_of(&command));
	fuzz_expect(template_append_line(template, values, &line, &err) == 0);
	fuzz_expect(template_expand_shell(template, values, &command, &err) == 0);
	buf_fini(&line);
	command_fini(&command);
}

static void
fill_spec(struct spec *spec, unsigned int bits, char **words, size_t word_count)
{
	static char out[] = "{out}";
	spec_init(spec, (bits & IS_PARALLEL) != 0 ? SPEC_PARALLEL : SPEC_MAP);
	spec->shell = "/bin/sh";
	spec->is_quoted = (bits & IS_QUOTED) != 0;
	spec->has_plus = (bits & HAS_PLUS) != 0;
	spec->hidden_count = (bits & IS_HIDDEN) != 0 ? 1 : 0;
	if ((bits & IS_FILLED) != 0) {
		spec->group = SPEC_GROUP_FILL_CONTEXT;
		spec->repeats_context = true;
	}
	if ((bits & HAS_OUT) != 0) {
		fuzz_expect(spec_add_output(spec, "out/{}") == 0);
		words[word_count++] = out;
	}
	words[word_count] = NULL;
	spec->words = words;
	spec->word_count = word_count;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *words[LINES_MAX + 2], *lines[LINES_MAX];
	struct arg args[LINES_MAX + 1] = {{"", 0}};
	struct spec spec;
	struct err err = {0};
	static const struct arg names[] = {{"name", 4}};
	if (size < 2)
		return 0;
	char *text = fuzz_string(data + 1, size - 1), *rest = text;
	fill_spec(&spec, data[0], words, take_lines(&rest, words));
	size_t count = take_lines(&rest, lines);
	for (size_t i = 0; i < count; i++)
		args[i + spec.hidden_count] = (struct arg){lines[i], strlen(lines[i])};
	struct template *template = template_new(&spec, names, 1, &err);
	if (template == NULL)
		fuzz_expect_failure(&err);
	else
		expand(template,
		       &(struct template_values){.seq = 41,
						 .slot = 2,
						 .args = args,
						 .arg_count = count + spec.hidden_count,
						 .column_count = 1});
	template_free(template);
	spec_fini(&spec);
	free(text);
	return 0;
}
