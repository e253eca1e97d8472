/* shell_words.c: see shell_words.h. */
#include "task/shell_words.h"

#include <stdlib.h>
#include <string.h>

/*
 * Commands and reserved words of sh, dash, ash, bash, ksh, mksh or zsh for which no
 * program does the same in all of them. Sorted. Not here: true and false, which are
 * programs too.
 */
static const char *const shell_commands[] = {
    "-",
    ".",
    ":",
    "[",
    "[[",
    "]]",
    "alias",
    "autoload",
    "bg",
    "bind",
    "bindkey",
    "break",
    "builtin",
    "bye",
    "caller",
    "cap",
    "case",
    "cd",
    "chdir",
    "clone",
    "command",
    "compadd",
    "comparguments",
    "compcall",
    "compctl",
    "compdescribe",
    "compfiles",
    "compgen",
    "compgroups",
    "complete",
    "compopt",
    "compquote",
    "compset",
    "comptags",
    "comptry",
    "compvalues",
    "continue",
    "coproc",
    "declare",
    "dirs",
    "disable",
    "disown",
    "do",
    "done",
    "echo",
    "echotc",
    "echoti",
    "elif",
    "else",
    "emulate",
    "enable",
    "end",
    "enum",
    "esac",
    "eval",
    "exec",
    "exit",
    "export",
    "fc",
    "fg",
    "fi",
    "float",
    "for",
    "foreach",
    "function",
    "functions",
    "getcap",
    "getconf",
    "getln",
    "getopts",
    "global",
    "hash",
    "help",
    "hist",
    "history",
    "if",
    "in",
    "integer",
    "jobs",
    "kill",
    "let",
    "limit",
    "local",
    "log",
    "login",
    "logout",
    "mapfile",
    "mknod",
    "nameref",
    "namespace",
    "newgrp",
    "nocorrect",
    "noglob",
    "pcre_compile",
    "pcre_match",
    "pcre_study",
    "popd",
    "print",
    "printf",
    "private",
    "pushd",
    "pushln",
    "pwd",
    "r",
    "read",
    "readarray",
    "readonly",
    "realpath",
    "rehash",
    "rename",
    "repeat",
    "return",
    "sched",
    "select",
    "set",
    "setcap",
    "setopt",
    "shift",
    "shopt",
    "source",
    "strftime",
    "suspend",
    "syserror",
    "sysopen",
    "sysread",
    "sysseek",
    "syswrite",
    "test",
    "then",
    "time",
    "times",
    "trap",
    "ttyctl",
    "type",
    "typeset",
    "ulimit",
    "umask",
    "unalias",
    "unfunction",
    "unhash",
    "unlimit",
    "unset",
    "unsetopt",
    "until",
    "vared",
    "wait",
    "whence",
    "where",
    "which",
    "while",
    "zcompile",
    "zcurses",
    "zdelattr",
    "zformat",
    "zftp",
    "zgetattr",
    "zle",
    "zlistattr",
    "zmodload",
    "zparseopts",
    "zprof",
    "zpty",
    "zregexparse",
    "zselect",
    "zsetattr",
    "zsocket",
    "zstat",
    "zstyle",
    "zsystem",
    "ztcp",
};

#define SHELL_COMMAND_COUNT (sizeof(shell_commands) / sizeof(shell_commands[0]))

static int
compare_names(const void *name, const void *row)
{
	return strcmp(name, *(const char *const *)row);
}

/* Whether a first word names a program and nothing else. */
static bool
is_program_name(const char *word)
{
	if (word[0] == '\0' || word[0] == '%' || strchr(word, '=') != NULL)
		return false;
	return bsearch(word, shell_commands, SHELL_COMMAND_COUNT,
		       sizeof(shell_commands[0]), compare_names) == NULL;
}

struct splitter {
	const char *at;
	const char *end;
	struct buf *text;
};

/* 1: c is a plain byte of a word outside quotes. */
static bool
is_plain_byte(char c)
{
	return c == '\0' || strchr("#;\"*?[]&|<>(){}$`^~!'\\\n", c) == NULL;
}

/* From behind the opening quote to behind the closing one. As shell_words_split. */
static int
splitter_take_quoted(struct splitter *splitter, char quote)
{
	const char *close =
	    memchr(splitter->at, quote, (size_t)(splitter->end - splitter->at));
	if (close == NULL)
		return 0;
	size_t length = (size_t)(close - splitter->at);
	for (const char *c = splitter->at; c < close; c++)
		if (*c == '\0' || (quote == '"' && strchr("$`\\!", *c) != NULL))
			return 0;
	if (buf_append(splitter->text, splitter->at, length) == -1)
		return -1;
	splitter->at = close + 1;
	return 1;
}

/* One word, with its NUL. As shell_words_split. */
static int
splitter_take_word(struct splitter *splitter)
{
	if (*splitter->at == '=') /* zsh: the path of a command */
		return 0;
	while (splitter->at < splitter->end && *splitter->at != ' ' &&
	       *splitter->at != '\t') {
		char c = *splitter->at++;
		int status = 1;
		if (c == '\'' || c == '"')
			status = splitter_take_quoted(splitter, c);
		else if (!is_plain_byte(c))
			return 0;
		else if (buf_append_char(splitter->text, c) == -1)
			return -1;
		if (status != 1)
			return status;
	}
	return buf_append_char(splitter->text, '\0') == -1 ? -1 : 1;
}

static int
splitter_take_words(struct splitter *splitter, struct buf *starts)
{
	size_t count = 0;
	for (;;) {
		while (splitter->at < splitter->end &&
		       (*splitter->at == ' ' || *splitter->at == '\t'))
			splitter->at++;
		if (splitter->at == splitter->end)
			return count > 0;
		size_t start = splitter->text->length;
		if (buf_append(starts, &start, sizeof(start)) == -1)
			return -1;
		int status = splitter_take_word(splitter);
		if (status != 1)
			return status;
		const char *word = splitter->text->bytes + start;
		size_t word_length = splitter->text->length - start - 1;
		if (count++ == 0 && (strlen(word) != word_length || !is_program_name(word)))
			return 0;
	}
}

int
shell_words_split(const char *line, size_t length, struct buf *text, struct buf *starts)
{
	struct splitter splitter = {line, line + length, text};
	size_t text_length = text->length;
	size_t starts_length = starts->length;
	int status = splitter_take_words(&splitter, starts);
	if (status != 1) {
		text->length = text_length;
		starts->length = starts_length;
	}
	return status;
}

/* The value of NAME=value when `variable` is of that name, else NULL. */
static const char *
variable_value(const char *variable, const char *name)
{
	size_t length = strlen(name);
	if (strncmp(variable, name, length) != 0 || variable[length] != '=')
		return NULL;
	return variable + length + 1;
}

static bool
is_start_file_variable(const char *variable)
{
	static const char *const names[] = {"BASH_ENV", "ENV", "SHELLOPTS", "BASHOPTS"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = variable_value(variable, names[i]);
		if (value != NULL && value[0] != '\0')
			return true;
	}
	return false;
}

bool
shell_words_is_plain_shell(const char *shell, char *const *environment)
{
	static const char *const shells[] = {"sh",  "dash", "ash", "bash",
					     "ksh", "mksh", "zsh"};
	const char *slash = strrchr(shell, '/');
	const char *name = slash == NULL ? shell : slash + 1;
	bool is_known = false;
	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
		is_known = is_known || strcmp(name, shells[i]) == 0;
	for (; is_known && *environment != NULL; environment++)
		is_known = !is_start_file_variable(*environment);
	return is_known;
}

/* What stands behind the prefix of an exported function; NULL: it is none. */
static const char *
function_of(const char *variable)
{
	static const char prefix[] = "BASH_FUNC_";
	return strncmp(variable, prefix, sizeof(prefix) - 1) == 0
		   ? variable + sizeof(prefix) - 1
		   : NULL;
}

bool
shell_words_has_functions(char *const *environment)
{
	for (; *environment != NULL; environment++)
		if (function_of(*environment) != NULL)
			return true;
	return false;
}

bool
shell_words_has_function(const char *name, char *const *environment)
{
	size_t name_length = strlen(name);
	for (; *environment != NULL; environment++) {
		const char *function = function_of(*environment);
		if (function == NULL || strncmp(function, name, name_length) != 0)
			continue;
		function += name_length;
		if (strncmp(function, "%%=", 3) == 0 || strncmp(function, "()=", 3) == 0)
			return true;
	}
	return false;
}
