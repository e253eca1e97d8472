/* option_value.c: see option_value.h. */
#include "input/option_value.h"

#include <ctype.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"

#define NANOS UINT64_C(1000000000)

/* A decimal number, exact to nine places behind the point; further ones are dropped. */
struct decimal {
	uint64_t whole;
	uint64_t nanos;
};

struct value_name {
	const char *name;
	int value;
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * Reads a number at *text and moves it behind; false when there is none or it is too
 * big.
 */
static bool
read_decimal(const char **text, struct decimal *decimal)
{
	const char *p = *text;
	size_t digit_count = 0;
	*decimal = (struct decimal){0};
	for (; is_digit(*p); p++, digit_count++) {
		if (__builtin_mul_overflow(decimal->whole, 10, &decimal->whole) ||
		    __builtin_add_overflow(decimal->whole, (uint64_t)(*p - '0'),
					   &decimal->whole))
			return false;
	}
	if (*p == '.') {
		uint64_t place = NANOS / 10;
		for (p++; is_digit(*p); p++, digit_count++, place /= 10)
			decimal->nanos += (uint64_t)(*p - '0') * place;
	}
	*text = p;
	return digit_count > 0;
}

/* decimal * unit, rounded down; false when it does not fit. */
static bool
scale_decimal(const struct decimal *decimal, uint64_t unit, uint64_t *scaled)
{
	unsigned __int128 product = (unsigned __int128)decimal->whole * unit +
				    (unsigned __int128)decimal->nanos * unit / NANOS;
	*scaled = (uint64_t)product;
	return product <= UINT64_MAX;
}

/*
 * The factor of a size suffix at *text, which is moved behind it; 0 for an unknown one.
 */
static uint64_t
read_size_suffix(const char **text)
{
	static const char letters[] = "kmgtp";
	const char *p = *text;
	if (*p == '\0')
		return 1;
	const char *letter = strchr(letters, tolower((unsigned char)*p));
	if (letter == NULL)
		return 0;
	uint64_t base = isupper((unsigned char)*p) ? 1024 : 1000;
	p++;
	if (*p == 'i') {
		base = 1024;
		p++;
	}
	uint64_t factor = base;
	for (const char *lower = letters; lower < letter; lower++)
		factor *= base;
	*text = p;
	return factor;
}

int
value_count(const char *text, uint64_t *count)
{
	struct decimal decimal;
	uint64_t scaled;
	if (!read_decimal(&text, &decimal))
		return -1;
	uint64_t factor = read_size_suffix(&text);
	if (factor == 0 || *text != '\0' || !scale_decimal(&decimal, factor, &scaled))
		return -1;
	if (factor == 1 && decimal.nanos != 0)
		return -1;
	*count = scaled;
	return 0;
}

static uint64_t
unit_ns(char c)
{
	switch (c) {
	case 'S':
	case 's':
		return NANOS;
	case 'M':
	case 'm':
		return 60 * NANOS;
	case 'H':
	case 'h':
		return 3600 * NANOS;
	case 'D':
	case 'd':
		return 86400 * NANOS;
	default:
		return 0;
	}
}

/* A moment so far from now is still a moment: some 70 years. */
#define VALUE_DURATION_MAX_NS (INT64_MAX / 4)

int
value_duration_ns(const char *text, int64_t *duration_ns)
{
	uint64_t total_ns = 0, part_ns;
	struct decimal decimal;
	bool is_first = true;
	do {
		if (!read_decimal(&text, &decimal))
			return -1;
		uint64_t unit = *text == '\0' && is_first ? NANOS : unit_ns(*text);
		if (unit == 0 || !scale_decimal(&decimal, unit, &part_ns) ||
		    __builtin_add_overflow(total_ns, part_ns, &total_ns) ||
		    total_ns > VALUE_DURATION_MAX_NS)
			return -1;
		if (*text != '\0')
			text++;
		is_first = false;
	} while (*text != '\0');
	*duration_ns = (int64_t)total_ns;
	return 0;
}

int
value_percent(const char *text, double *percent)
{
	struct decimal decimal;
	if (!read_decimal(&text, &decimal) || strcmp(text, "%") != 0)
		return -1;
	if (decimal.whole == 0 && decimal.nanos == 0)
		return -1;
	*percent = (double)decimal.whole + (double)decimal.nanos / (double)NANOS;
	return 0;
}

/* All of `digits`, which begin with one, as a number in `base` that fits a byte; -1 if not. */
static int
escape_number(const char *digits, int base)
{
	char *end;
	unsigned long number = strtoul(digits, &end, base);
	return *end == '\0' && end - digits <= 3 && number <= UCHAR_MAX ? (int)number : -1;
}

/* What stands behind a backslash; -1 when it is no escape. */
static int
escape_value(const char *escape)
{
	static const char names[] = "abfnrtv\\", values[] = "\a\b\f\n\r\t\v\\";
	if (*escape == 'x')
		return isxdigit((unsigned char)escape[1]) && strlen(escape) <= 3
			   ? escape_number(escape + 1, 16)
			   : -1;
	if (is_digit(*escape))
		return escape_number(escape, 8);
	const char *name = *escape == '\0' ? NULL : strchr(names, *escape);
	return name != NULL && escape[1] == '\0' ? values[name - names] : -1;
}

int
value_byte(const char *text, char *byte)
{
	if (text[0] == '\\' && text[1] != '\0') {
		int value = escape_value(text + 1);
		if (value == -1)
			return -1;
		*byte = (char)value;
		return 0;
	}
	if (text[0] == '\0' || text[1] != '\0')
		return -1;
	*byte = text[0];
	return 0;
}

/* The character of \t, \n, \r by its letter; NUL for other letters. */
static char
blank_of(char letter)
{
	switch (letter) {
	case 't':
		return '\t';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	default:
		return '\0';
	}
}

void
value_unescape_blanks(char *text)
{
	char *out = text;
	for (const char *in = text; *in != '\0'; in++) {
		char letter = *in;
		if (letter == '\\' && blank_of(in[1]) != '\0')
			letter = blank_of(*++in);
		*out++ = letter;
	}
	*out = '\0';
}

/*
 * The value of the `length` bytes at `name` in a list that ends with a NULL name; -1 if
 * absent.
 */
static int
name_value(const struct value_name *names, const char *name, size_t length)
{
	for (; names->name != NULL; names++) {
		if (strlen(names->name) == length && memcmp(names->name, name, length) == 0)
			return names->value;
	}
	return -1;
}

static int
halt_amount(const char *text, struct spec_halt *halt)
{
	struct decimal decimal;
	if (!is_digit(*text) || !read_decimal(&text, &decimal))
		return -1;
	halt->is_percent = strcmp(text, "%") == 0;
	if ((!halt->is_percent && *text != '\0') || decimal.nanos != 0 || decimal.whole == 0)
		return -1;
	if (halt->is_percent ? decimal.whole > 100 : decimal.whole > UINT32_MAX)
		return -1;
	halt->value = (double)decimal.whole;
	return 0;
}

/* The short forms of old. */
static const char *
halt_spell_out(const char *text)
{
	static const char *const forms[][2] = {
	    {"0", "never"},           {"1", "soon,fail=1"},    {"2", "now,fail=1"},
	    {"-1", "soon,success=1"}, {"-2", "now,success=1"},
	};
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (strcmp(text, forms[i][0]) == 0)
			return forms[i][1];
	}
	return text;
}

static int
halt_condition(const char *text, struct spec_halt *halt)
{
	static const struct value_name whys[] = {{"fail", SPEC_HALT_FAIL},
						 {"success", SPEC_HALT_SUCCESS},
						 {"done", SPEC_HALT_DONE},
						 {NULL, 0}};
	size_t length = strcspn(text, "=");
	int why = name_value(whys, text, length);
	if (why == -1 || text[length] != '=')
		return -1;
	halt->why = (enum spec_halt_why)why;
	return halt_amount(text + length + 1, halt);
}

int
value_halt(const char *text, struct spec_halt *halt)
{
	static const struct value_name whens[] = {{"never", SPEC_HALT_NEVER},
						  {"soon", SPEC_HALT_SOON},
						  {"now", SPEC_HALT_NOW},
						  {NULL, 0}};
	struct spec_halt parsed = {.when = SPEC_HALT_SOON, .why = SPEC_HALT_FAIL};
	text = halt_spell_out(text);
	if (halt_amount(text, &parsed) == 0 && parsed.is_percent) {
		*halt = parsed;
		return 0;
	}
	size_t length = strcspn(text, ",");
	int when = name_value(whens, text, length);
	if (when == -1)
		return -1;
	parsed = (struct spec_halt){.when = (enum spec_halt_when)when};
	if (when == SPEC_HALT_NEVER
		? text[length] != '\0'
		: text[length] != ',' || halt_condition(text + length + 1, &parsed) == -1)
		return -1;
	*halt = parsed;
	return 0;
}

/*
 * A signal by name, with or without SIG, in any case, or by number; -1 if there is none
 * such.
 */
static int
signal_value(const char *name, size_t length)
{
	if (length > 0 && length <= 2 && is_digit(name[0]) && is_digit(name[length - 1])) {
		int number = atoi(name);
		return number >= 1 && number <= SIGRTMAX ? number : -1;
	}
	if (length > 3 && strncasecmp(name, "SIG", 3) == 0) {
		name += 3;
		length -= 3;
	}
	for (int number = 1; number < NSIG; number++) {
		const char *known = sigabbrev_np(number);
		if (known != NULL && strlen(known) == length &&
		    strncasecmp(known, name, length) == 0)
			return number;
	}
	return -1;
}

/* Milliseconds in `length` digits; -1 if they are not. */
static int
wait_value_ms(const char *digits, size_t length)
{
	int64_t wait_ms = 0;
	if (length == 0)
		return -1;
	for (size_t i = 0; i < length; i++) {
		if (!is_digit(digits[i]))
			return -1;
		wait_ms = wait_ms * 10 + (digits[i] - '0');
		if (wait_ms > INT_MAX)
			return -1;
	}
	return (int)wait_ms;
}

/* Reads "SIGNAL,MS" or a last "SIGNAL"; returns what follows, NULL if it is neither. */
static const char *
read_term_step(const char *text, struct spec_term_step *step)
{
	size_t length = strcspn(text, ",");
	step->signal = signal_value(text, length);
	step->wait_ms = 0;
	if (step->signal == -1)
		return NULL;
	text += length;
	if (*text == '\0')
		return text;
	text++;
	length = strcspn(text, ",");
	step->wait_ms = wait_value_ms(text, length);
	if (step->wait_ms == -1)
		return NULL;
	text += length;
	if (*text == '\0')
		return text;
	return text[1] == '\0' ? NULL : text + 1;
}

int
value_term_steps(const char *text, struct spec_term_step *steps, size_t *step_count)
{
	struct spec_term_step parsed[SPEC_TERM_STEPS];
	size_t count = 0;
	do {
		if (count == SPEC_TERM_STEPS)
			return -1;
		text = read_term_step(text, &parsed[count++]);
		if (text == NULL)
			return -1;
	} while (*text != '\0');
	memcpy(steps, parsed, count * sizeof(*steps));
	*step_count = count;
	return 0;
}

int
value_retry_on(const char *text, unsigned int *retry_on)
{
	static const struct value_name reasons[] = {{"exit", SPEC_RETRY_EXIT},
						    {"signal", SPEC_RETRY_SIGNAL},
						    {"timeout", SPEC_RETRY_TIMEOUT},
						    {"lost", SPEC_RETRY_LOST},
						    {"memory", SPEC_RETRY_MEMORY},
						    {"all", SPEC_RETRY_ALL},
						    {NULL, 0}};
	unsigned int bits = 0;
	for (;;) {
		size_t length = strcspn(text, ",");
		int reason = name_value(reasons, text, length);
		if (reason == -1)
			return -1;
		bits |= (unsigned int)reason;
		if (text[length] == '\0')
			break;
		text += length + 1;
	}
	*retry_on = bits;
	return 0;
}

int
value_trim(const char *text, enum spec_trim *trim)
{
	static const struct value_name trims[] = {
	    {"n", SPEC_TRIM_NONE},  {"l", SPEC_TRIM_LEFT},  {"r", SPEC_TRIM_RIGHT},
	    {"lr", SPEC_TRIM_BOTH}, {"rl", SPEC_TRIM_BOTH}, {NULL, 0}};
	int value = name_value(trims, text, strlen(text));
	if (value == -1)
		return -1;
	*trim = (enum spec_trim)value;
	return 0;
}

int
value_bind(const char *text, enum spec_bind *bind)
{
	static const struct value_name binds[] = {{"auto", SPEC_BIND_AUTO},
						  {"core", SPEC_BIND_CORE},
						  {"share", SPEC_BIND_SHARE},
						  {"pu", SPEC_BIND_PU},
						  {"numa", SPEC_BIND_NUMA},
						  {"none", SPEC_BIND_NONE},
						  {NULL, 0}};
	int value = name_value(binds, text, strlen(text));
	if (value == -1)
		return -1;
	*bind = (enum spec_bind)value;
	return 0;
}

int
value_start_method(const char *text, enum spec_start_method *method)
{
	static const struct value_name methods[] = {{"fork", SPEC_START_FORK},
						    {"spawn", SPEC_START_SPAWN},
						    {"forkserver", SPEC_START_FORKSERVER},
						    {NULL, 0}};
	int value = name_value(methods, text, strlen(text));
	if (value == -1)
		return -1;
	*method = (enum spec_start_method)value;
	return 0;
}
