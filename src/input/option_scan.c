/* option_scan.c: see option_scan.h. */
#include "input/option_scan.h"

#include <string.h>

#include "input/job_keys.h"
#include "input/job_tree.h"
#include "input/option_find.h"
#include "input/option_set.h"
#include "input/option_value.h"

/* True when the next word is a value that an option may have, but need not. */
static bool
takes_next_word(const struct option_scan *scan, const struct option_row *option)
{
	uint64_t count;
	if (scan->index >= scan->count)
		return false;
	const char *word = scan->words[scan->index];
	if (option->argument == OPTION_ARGUMENT_COUNT)
		return value_count(word, &count) == 0;
	/* GNU parallel does; elsewhere `-i COMMAND` would lose its command. */
	return option->argument == OPTION_ARGUMENT_TEXT && scan->verb == OPTION_PARALLEL &&
	       (word[0] != '-' || word[1] == '\0') && strncmp(word, ":::", 3) != 0;
}

/*
 * Notes an option. `joined` is the value in the same word, NULL when there is none; if
 * one is needed, the next word is it, whatever it looks like.
 */
static int
add_found(struct option_scan *scan, const struct option_row *option, const char *joined,
	  struct err *err)
{
	char name[OPTION_NAME_BYTES];
	const char *value = joined;
	if (value == NULL && option->argument == OPTION_ARGUMENT_NEEDED) {
		if (scan->index == scan->count)
			return err_set(err, ERR_USAGE, "%s: no value: write %s %s",
				       option_name(option, name), name,
				       option->argument_name);
		value = scan->words[scan->index++];
	} else if (value == NULL && takes_next_word(scan, option)) {
		value = scan->words[scan->index++];
	}
	scan->found[scan->found_count++] = (struct option_found){option, value};
	return 0;
}

/* "--name" or "--name=value". */
static int
scan_long(struct option_scan *scan, const char *typed, struct err *err)
{
	char name[OPTION_NAME_BYTES];
	size_t length = strcspn(typed, "=");
	const char *joined = typed[length] == '=' ? typed + length + 1 : NULL;
	const struct option_row *option = option_find(scan->verb, typed, length, err);
	if (option == NULL)
		return -1;
	if (joined != NULL && option->argument == OPTION_ARGUMENT_NONE)
		return err_set(err, ERR_USAGE, "%s takes no value: leave out '=%.200s'",
			       option_name(option, name), joined);
	return add_found(scan, option, joined, err);
}

/* True when the text behind a letter is its value, not more letters. */
static bool
is_joined_value(const struct option_row *option, const char *text)
{
	if (*text == '\0' || option->argument == OPTION_ARGUMENT_NONE)
		return false;
	return option->argument != OPTION_ARGUMENT_COUNT || (*text >= '0' && *text <= '9');
}

/* "-k", "-kj4", "-kj 4". */
static int
scan_letters(struct option_scan *scan, const char *word, struct err *err)
{
	for (const char *letter = word + 1; *letter != '\0'; letter++) {
		const struct option_row *option = option_find_letter(scan->verb, *letter);
		if (option == NULL)
			return err_set(
			    err,
			    ERR_USAGE, "unknown option -%c in '%.200s': --help lists those there are",
			    *letter, word);
		if (is_joined_value(option, letter + 1))
			return add_found(scan, option, letter + 1, err);
		if (letter[1] != '\0' && option->argument == OPTION_ARGUMENT_COUNT)
			scan->found[scan->found_count++] =
			    (struct option_found){option, NULL};
		else if (add_found(scan, option, NULL, err) == -1)
			return -1;
	}
	return 0;
}

int
option_scan(struct option_scan *scan, struct spec *spec, char *const *words, size_t count,
	    struct err *err)
{
	size_t letter_count = 0;
	for (size_t i = 0; i < count; i++)
		letter_count += strlen(words[i]);
	scan->words = words;
	scan->count = count;
	scan->found = spec_alloc(spec, (letter_count + 1) * sizeof(*scan->found));
	if (scan->found == NULL)
		return err_no_memory(err);
	while (scan->index < count) {
		const char *word = words[scan->index];
		if (word[0] != '-' || word[1] == '\0')
			break;
		scan->index++;
		scan->is_ended = strcmp(word, "--") == 0;
		if (scan->is_ended)
			break;
		if ((word[1] == '-' ? scan_long(scan, word + 2, err)
				    : scan_letters(scan, word, err)) == -1)
			return -1;
	}
	return 0;
}

/*
 * An option of pinion run that a job's file can have, too: it is put in as --set does, since what
 * it means is settled with the rest of the file.
 */
static int
apply_to_job(struct option_state *state, const struct job_key *key,
	     const struct option_found *found, struct err *err)
{
	struct buf set = {0};
	const char *value = found->value;
	int status = -1;
	if (buf_printf(&set, "%s=", key->name) == -1 ||
	    (value == NULL ? buf_append_str(&set, "true")
			   : job_tree_print_text(value, strlen(value), &set)) == -1 ||
	    buf_str(&set) == NULL)
		err_no_memory(err);
	else
		status = option_add_set(state, buf_str(&set), err);
	buf_fini(&set);
	return status;
}

static int
apply_one(struct option_state *state, const struct option_found *found, struct err *err)
{
	struct job_key key;
	if (state->spec->dialect == SPEC_RUN && job_key_printed(found->option, &key))
		return apply_to_job(state, &key, found, err);
	return found->option->set(state, found->option, found->value, err);
}

int
option_apply(struct option_state *state, const struct option_found *found, size_t count,
	     struct err *err)
{
	for (size_t i = 0; i < count && state->outcome == OPTIONS_RUN; i++)
		if (apply_one(state, &found[i], err) == -1)
			return -1;
	return 0;
}
