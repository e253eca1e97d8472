/*
 * option_complete.c: completion scripts for bash, zsh and fish, from the option table;
 * see options.h.
 *
 * Each script knows the verbs, their options, what their values may be, and where the
 * command begins, which the shell then completes as it would at its own prompt.
 */
#include <string.h>

#include "input/option_table.h"
#include "input/options.h"

/* What lists the live runs, in all three shells. */
#define COMPLETE_RUNS "pinion status --names 2>/dev/null"

/* One name as it is typed: "--jobs" or "-j". */
struct typed_name {
	const char *dashes;
	const char *name;
	int length;
};

typedef int name_writer(struct buf *text, const struct option_row *option,
			const struct typed_name *name);

static bool
is_shown(const struct option_row *option, unsigned int verbs)
{
	return (option_verbs_of(option) & verbs) != 0 && option->help != NULL;
}

/* Calls `write` for every name of every option of these verbs. */
static int
for_each_name(struct buf *text, unsigned int verbs, name_writer *write)
{
	for (size_t i = 0; i < option_count; i++) {
		const struct option_row *option = &option_table[i];
		const char *rest = option->names;
		struct typed_name name = {.dashes = "--"};
		if (!is_shown(option, verbs))
			continue;
		while ((name.length = (int)option_next_name(&rest, &name.name)) > 0) {
			if (write(text, option, &name) == -1)
				return -1;
		}
		for (const char *letter = option->letters; *letter != '\0'; letter++) {
			struct typed_name short_name = {"-", letter, 1};
			if (write(text, option, &short_name) == -1)
				return -1;
		}
	}
	return 0;
}

/* Appends `string` with `mark` in front of each of the bytes in `special`. */
static int
append_marked(struct buf *text, const char *string, const char *special, const char *mark)
{
	for (; *string != '\0'; string++) {
		if (strchr(special, *string) != NULL && buf_append_str(text, mark) == -1)
			return -1;
		if (buf_append_char(text, *string) == -1)
			return -1;
	}
	return 0;
}

static int
plain_name(struct buf *text, const struct option_row *option, const struct typed_name *name)
{
	(void)option;
	return buf_printf(text, "%s%.*s ", name->dashes, name->length, name->name);
}

/* Those whose value may be the next word. */
static int
valued_name(struct buf *text, const struct option_row *option, const struct typed_name *name)
{
	if (option->argument != OPTION_ARGUMENT_NEEDED)
		return 0;
	return plain_name(text, option, name);
}

/* ---- bash ---- */

static int
bash_verbs(struct buf *text)
{
	for (size_t i = 0; i < option_verb_count; i++) {
		const struct option_verb *verb = &option_verbs[i];
		if (buf_printf(text, "\t%s)\n\t\toptions='", verb->name) == -1 ||
		    for_each_name(text, verb->bit, plain_name) == -1 ||
		    buf_append_str(text, "'\n\t\tvalued=' ") == -1 ||
		    for_each_name(text, verb->bit, valued_name) == -1 ||
		    buf_printf(text,
			       "'\n\t\truns_command=%d\n\t\ttakes_files=%d\n"
			       "\t\ttakes_run=%d\n\t\twords='%s'\n\t\t;;\n",
			       verb->runs_command, verb->words == NULL, verb->takes_run,
			       verb->words == NULL ? "" : verb->words) == -1)
			return -1;
	}
	return 0;
}

/* What fills COMPREPLY for a value; files come by themselves when nothing does. */
static int
bash_hint(struct buf *text, const struct option_row *option)
{
	switch (option->hint) {
	case OPTION_HINT_FILE:
		return buf_append_str(text, "return");
	case OPTION_HINT_DIRECTORY:
		return buf_append_str(text,
				      "compopt -o filenames; "
				      "mapfile -t COMPREPLY < <(compgen -d -- \"$cur\")");
	case OPTION_HINT_COMMAND:
		return buf_append_str(text,
				      "mapfile -t COMPREPLY < <(compgen -c -- \"$cur\")");
	case OPTION_HINT_WORDS:
		return buf_printf(text,
				  "mapfile -t COMPREPLY < <(compgen -W '%s' -- \"$cur\")",
				  option->words);
	case OPTION_HINT_NONE:
		break;
	}
	return buf_append_str(text, "compopt +o default +o bashdefault");
}

static int
bash_value(struct buf *text, const struct option_row *option, const struct typed_name *name)
{
	if (option->argument == OPTION_ARGUMENT_NONE)
		return 0;
	if (buf_printf(text, "\t\t%s%.*s) ", name->dashes, name->length, name->name) == -1 ||
	    bash_hint(text, option) == -1)
		return -1;
	return buf_append_str(text, " ;;\n");
}

static const char bash_head[] =
    "# Completion of pinion for bash.\n"
    "_pinion()\n"
    "{\n"
    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
    "\tlocal verb=${COMP_WORDS[1]} verbs options valued runs_command takes_files "
    "takes_run words "
    "word i\n"
    "\tCOMPREPLY=()\n"
    "\tverbs='";

static const char bash_before_verbs[] =
    "'\n"
    "\tif ((COMP_CWORD == 1)); then\n"
    "\t\tmapfile -t COMPREPLY < <(compgen -W \"$verbs --help --version\" -- \"$cur\")\n"
    "\t\treturn\n"
    "\tfi\n"
    "\tcase $verb in\n";

static const char bash_before_values[] =
    "\t*)\n"
    "\t\treturn\n"
    "\t\t;;\n"
    "\tesac\n"
    "\t# i becomes the index of the first word that is neither option nor value.\n"
    "\tfor ((i = 2; i < COMP_CWORD; i++)); do\n"
    "\t\tword=${COMP_WORDS[i]}\n"
    "\t\tif [[ $word == -- ]]; then\n"
    "\t\t\t((i++))\n"
    "\t\t\tbreak\n"
    "\t\telif [[ $word != -?* ]]; then\n"
    "\t\t\tbreak\n"
    "\t\telif [[ $word == --* && ${COMP_WORDS[i + 1]} == '=' ]]; then\n"
    "\t\t\t((i += 2))\n"
    "\t\telif [[ $valued == *\" $word \"* ]]; then\n"
    "\t\t\t((i++))\n"
    "\t\telif [[ $word == -[!-]*[!0-9] && $valued == *\" -${word: -1} \"* ]]; then\n"
    "\t\t\t((i++))\n"
    "\t\tfi\n"
    "\tdone\n"
    "\tif [[ $cur == '=' ]]; then\n"
    "\t\tcur=\n"
    "\telif [[ $prev == '=' ]]; then\n"
    "\t\tprev=${COMP_WORDS[COMP_CWORD - 2]}\n"
    "\tfi\n"
    "\tif ((i > COMP_CWORD)); then\n"
    "\t\tcase $prev in\n";

static const char bash_tail[] =
    "\t\tesac\n"
    "\telif ((i == COMP_CWORD || takes_files)) && [[ $cur == -* && $prev != -- ]]; then\n"
    "\t\tmapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$cur\")\n"
    "\telif ((takes_files)); then\n"
    "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
    "\telif ((!runs_command)); then\n"
    "\t\tcompopt +o default +o bashdefault\n"
    "\t\tif ((takes_run && i == COMP_CWORD)); then\n"
    "\t\t\twords=$(" COMPLETE_RUNS ")\n"
    "\t\telif ((takes_run && i + 1 < COMP_CWORD)); then\n"
    "\t\t\treturn\n"
    "\t\tfi\n"
    "\t\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
    "\telif ((i == COMP_CWORD)); then\n"
    "\t\tmapfile -t COMPREPLY < <(compgen -c -- \"$cur\")\n"
    "\telif declare -F _command_offset > /dev/null; then\n"
    "\t\t_command_offset \"$i\"\n"
    "\tfi\n"
    "}\n"
    "complete -o bashdefault -o default -F _pinion pinion\n";

static int
print_bash(struct buf *text)
{
	if (buf_append_str(text, bash_head) == -1)
		return -1;
	for (size_t i = 0; i < option_verb_count; i++) {
		if (buf_printf(text, "%s%s", i == 0 ? "" : " ", option_verbs[i].name) == -1)
			return -1;
	}
	if (buf_append_str(text, bash_before_verbs) == -1 || bash_verbs(text) == -1 ||
	    buf_append_str(text, bash_before_values) == -1 ||
	    for_each_name(text, OPTION_ALL, bash_value) == -1)
		return -1;
	return buf_append_str(text, bash_tail);
}

/* ---- zsh ---- */

/* A string inside '...', where _arguments gives the bytes in `special` a meaning. */
static int
zsh_escaped(struct buf *text, const char *string, const char *special)
{
	for (; *string != '\0'; string++) {
		if (*string == '\'') {
			if (buf_append_str(text, "'\\''") == -1)
				return -1;
			continue;
		}
		char one[2] = {*string, '\0'};
		if (append_marked(text, one, special, "\\") == -1)
			return -1;
	}
	return 0;
}

/* "N:_files" */
static int
zsh_value(struct buf *text, const struct option_row *option)
{
	if (zsh_escaped(text, option->argument_name, ":\\") == -1 ||
	    buf_append_char(text, ':') == -1)
		return -1;
	switch (option->hint) {
	case OPTION_HINT_FILE:
		return buf_append_str(text, "_files");
	case OPTION_HINT_DIRECTORY:
		return buf_append_str(text, "_files -/");
	case OPTION_HINT_COMMAND:
		return buf_append_str(text, "_command_names -e");
	case OPTION_HINT_WORDS:
		if (buf_append_char(text, '(') == -1 ||
		    zsh_escaped(text, option->words, ":\\") == -1)
			return -1;
		return buf_append_char(text, ')');
	case OPTION_HINT_NONE:
		break;
	}
	return buf_append_char(text, ' ');
}

/* How the value hangs on the name. */
static const char *
zsh_joint(const struct option_row *option, bool is_long)
{
	switch (option->argument) {
	case OPTION_ARGUMENT_NEEDED:
		return is_long ? "=" : "+";
	case OPTION_ARGUMENT_TEXT:
	case OPTION_ARGUMENT_COUNT:
	case OPTION_ARGUMENT_JOINED:
		return is_long ? "=-" : "-";
	case OPTION_ARGUMENT_NONE:
		break;
	}
	return "";
}

/* '*--jobs=[help]:N:_files' */
static int
zsh_name(struct buf *text, const struct option_row *option, const struct typed_name *name)
{
	bool is_long = name->dashes[1] != '\0';
	if (buf_printf(text, "\t\t'*%s%.*s%s[", name->dashes, name->length, name->name,
		       zsh_joint(option, is_long)) == -1 ||
	    zsh_escaped(text, option->help, "[]:\\") == -1 ||
	    buf_append_char(text, ']') == -1)
		return -1;
	if (option->argument != OPTION_ARGUMENT_NONE &&
	    (buf_append_str(text, option->argument == OPTION_ARGUMENT_NEEDED ? ":" : "::") ==
		 -1 ||
	     zsh_value(text, option) == -1))
		return -1;
	return buf_append_str(text, "' \\\n");
}

static int
zsh_verb(struct buf *text, const struct option_verb *verb)
{
	if (buf_printf(text, "_pinion_%s()\n{\n\t_arguments -s -S \\\n", verb->name) == -1 ||
	    for_each_name(text, verb->bit, zsh_name) == -1)
		return -1;
	if (verb->runs_command)
		return buf_append_str(text, "\t\t'(-)1:command: _command_names -e' \\\n"
					    "\t\t'*::arguments: _normal'\n}\n\n");
	if (verb->words == NULL)
		return buf_append_str(text, "\t\t'*:file:_files'\n}\n\n");
	if (verb->takes_run)
		return buf_printf(text,
				  "\t\t'1:run:{compadd -- ${(f)\"$(" COMPLETE_RUNS
				  ")\"}}' \\\n\t\t'2:what:(%s)'\n}\n\n",
				  verb->words);
	return buf_printf(text, "\t\t'*:argument:(%s)'\n}\n\n", verb->words);
}

static int
print_zsh(struct buf *text)
{
	if (buf_append_str(text,
			   "#compdef pinion\n# Completion of pinion for zsh.\n\n") == -1)
		return -1;
	for (size_t i = 0; i < option_verb_count; i++) {
		if (zsh_verb(text, &option_verbs[i]) == -1)
			return -1;
	}
	if (buf_append_str(text, "_pinion()\n{\n\tlocal -a verbs=(\n") == -1)
		return -1;
	for (size_t i = 0; i < option_verb_count; i++) {
		if (buf_printf(text, "\t\t'%s:", option_verbs[i].name) == -1 ||
		    zsh_escaped(text, option_verbs[i].help, ":\\") == -1 ||
		    buf_append_str(text, "'\n") == -1)
			return -1;
	}
	return buf_append_str(
	    text, "\t)\n"
		  "\tif ((CURRENT == 2)); then\n"
		  "\t\t_describe -t verbs verb verbs\n"
		  "\t\treturn\n"
		  "\tfi\n"
		  "\tshift words\n"
		  "\t((CURRENT--))\n"
		  "\t(($+functions[_pinion_$words[1]])) && _pinion_$words[1]\n"
		  "}\n\n"
		  "if [[ $funcstack[1] == _pinion ]]; then\n"
		  "\t_pinion \"$@\"\n"
		  "else\n"
		  "\tcompdef _pinion pinion\n"
		  "fi\n");
}

/* ---- fish ---- */

static int
fish_quoted(struct buf *text, const char *string)
{
	if (buf_append_char(text, '\'') == -1 ||
	    append_marked(text, string, "'\\", "\\") == -1)
		return -1;
	return buf_append_char(text, '\'');
}

/* "complete -c pinion -n '__pinion_among options map parallel'" */
static int
fish_condition(struct buf *text, const char *place, unsigned int verbs)
{
	if (buf_printf(text, "complete -c pinion -n '__pinion_among %s", place) == -1)
		return -1;
	for (size_t i = 0; i < option_verb_count; i++) {
		if ((option_verbs[i].bit & verbs) != 0 &&
		    buf_printf(text, " %s", option_verbs[i].name) == -1)
			return -1;
	}
	return buf_append_char(text, '\'');
}

static const char fish_head[] =
    "# Completion of pinion for fish.\n"
    "\n"
    "# How many words stand before the command; fails while there is none.\n"
    "function __pinion_before_command\n"
    "\tset -l words (commandline -opc)\n"
    "\tset -l count 2\n"
    "\tset -l is_value 0\n"
    "\tset -l valued ";

static const char fish_functions[] =
    "\n"
    "\tfor word in $words[3..]\n"
    "\t\tif test $is_value = 1\n"
    "\t\t\tset is_value 0\n"
    "\t\telse if test \"$word\" = --\n"
    "\t\t\techo (math $count + 1)\n"
    "\t\t\treturn 0\n"
    "\t\telse if not string match -q -- '-?*' $word\n"
    "\t\t\techo $count\n"
    "\t\t\treturn 0\n"
    "\t\telse if contains -- $word $valued\n"
    "\t\t\tset is_value 1\n"
    "\t\telse if string match -q -r -- '^-[^-].*[^0-9]$' $word\n"
    "\t\t\tand contains -- -(string sub -s -1 -- $word) $valued\n"
    "\t\t\tset is_value 1\n"
    "\t\tend\n"
    "\t\tset count (math $count + 1)\n"
    "\tend\n"
    "\treturn 1\n"
    "end\n"
    "\n"
    "# Whether we are among the `options` or in the `command` of one of these verbs.\n"
    "function __pinion_among --argument-names place\n"
    "\tset -l words (commandline -opc)\n"
    "\tset -q words[2]; and contains -- $words[2] $argv[2..]; or return 1\n"
    "\tif __pinion_before_command >/dev/null\n"
    "\t\ttest $place = command\n"
    "\telse\n"
    "\t\ttest $place = options\n"
    "\tend\n"
    "end\n"
    "\n"
    "function __pinion_complete_command\n"
    "\tset -l words (commandline -opc)\n"
    "\tset -l start (math (__pinion_before_command) + 1)\n"
    "\tcomplete -C (string join ' ' -- (string escape -- $words[$start..]) (commandline "
    "-ct))\n"
    "end\n"
    "\n";

static int
fish_value(struct buf *text, const struct option_row *option)
{
	if (option->argument != OPTION_ARGUMENT_NEEDED)
		return 0;
	switch (option->hint) {
	case OPTION_HINT_FILE:
		return buf_append_str(text, " -r -F");
	case OPTION_HINT_DIRECTORY:
		return buf_append_str(text, " -x -a '(__fish_complete_directories)'");
	case OPTION_HINT_COMMAND:
		return buf_append_str(text, " -x -a '(__fish_complete_command)'");
	case OPTION_HINT_WORDS:
		if (buf_append_str(text, " -x -a ") == -1)
			return -1;
		return fish_quoted(text, option->words);
	case OPTION_HINT_NONE:
		break;
	}
	return buf_append_str(text, " -x");
}

static int
fish_option(struct buf *text, const struct option_row *option)
{
	const char *rest = option->names, *name;
	size_t length;
	if (fish_condition(text, "options", option_verbs_of(option)) == -1)
		return -1;
	while ((length = option_next_name(&rest, &name)) > 0) {
		if (buf_printf(text, " -l %.*s", (int)length, name) == -1)
			return -1;
	}
	for (const char *letter = option->letters; *letter != '\0'; letter++) {
		if (buf_printf(text, " -s %c", *letter) == -1)
			return -1;
	}
	if (fish_value(text, option) == -1 || buf_append_str(text, " -d ") == -1 ||
	    fish_quoted(text, option->help) == -1)
		return -1;
	return buf_append_char(text, '\n');
}

/* The name of a run, then what to tell it. */
static int
fish_run(struct buf *text, const struct option_verb *verb)
{
	if (fish_condition(text, "options", verb->bit) == -1 ||
	    buf_append_str(text, " -f -a '(" COMPLETE_RUNS ")'\n") == -1 ||
	    fish_condition(text, "command", verb->bit) == -1 ||
	    buf_append_str(text, " -f -a ") == -1 || fish_quoted(text, verb->words) == -1)
		return -1;
	return buf_append_char(text, '\n');
}

static int
fish_verb(struct buf *text, const struct option_verb *verb)
{
	if (buf_printf(text, "complete -c pinion -f -n __fish_use_subcommand -a %s -d ",
		       verb->name) == -1 ||
	    fish_quoted(text, verb->help) == -1 || buf_append_char(text, '\n') == -1)
		return -1;
	if (verb->takes_run)
		return fish_run(text, verb);
	if (!verb->runs_command && verb->words == NULL) {
		if (fish_condition(text, "options", verb->bit) == -1)
			return -1;
		return buf_append_str(text, " -F\n");
	}
	if (!verb->runs_command) {
		if (fish_condition(text, "options", verb->bit) == -1 ||
		    buf_append_str(text, " -f -a ") == -1 ||
		    fish_quoted(text, verb->words) == -1)
			return -1;
		return buf_append_char(text, '\n');
	}
	if (fish_condition(text, "options", verb->bit) == -1 ||
	    buf_append_str(text, " -f -a '(__fish_complete_command)'\n") == -1 ||
	    fish_condition(text, "command", verb->bit) == -1)
		return -1;
	return buf_append_str(text, " -f -a '(__pinion_complete_command)'\n");
}

static int
print_fish(struct buf *text)
{
	if (buf_append_str(text, fish_head) == -1 ||
	    for_each_name(text, OPTION_ALL, valued_name) == -1 ||
	    buf_append_str(text, fish_functions) == -1)
		return -1;
	for (size_t i = 0; i < option_verb_count; i++) {
		if (fish_verb(text, &option_verbs[i]) == -1)
			return -1;
	}
	for (size_t i = 0; i < option_count; i++) {
		if (is_shown(&option_table[i], OPTION_ALL) &&
		    fish_option(text, &option_table[i]) == -1)
			return -1;
	}
	return 0;
}

int
options_print_completion(const char *shell, struct buf *text)
{
	if (strcmp(shell, "bash") == 0)
		return print_bash(text);
	if (strcmp(shell, "zsh") == 0)
		return print_zsh(text);
	if (strcmp(shell, "fish") == 0)
		return print_fish(text);
	return -1;
}
