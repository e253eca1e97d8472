/* json_text.c: see json_text.h. */
#include "base/json_text.h"

#include <stdint.h>
#include <string.h>

#define JSON_TEXT_FEW_BYTES ((size_t)4096)

/* --- UTF-8 --- */

/* Bytes of a sequence that begins with this one; 0: none does. */
static size_t
json_text_sequence_length(unsigned char first)
{
	return first < 0x80   ? 1
	       : first < 0xc2 ? 0
	       : first < 0xe0 ? 2
	       : first < 0xf0 ? 3
	       : first < 0xf5 ? 4
			      : 0;
}

/* Bytes of the well-formed UTF-8 sequence at `bytes`; 0: there is none. */
static size_t
json_text_character(const unsigned char *bytes, size_t length)
{
	unsigned char first = bytes[0];
	size_t count = json_text_sequence_length(first);
	if (count == 0 || count > length)
		return 0;
	for (size_t i = 1; i < count; i++)
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
	bool is_bad =
	    (first == 0xe0 && bytes[1] < 0xa0) || (first == 0xed && bytes[1] > 0x9f) ||
	    (first == 0xf0 && bytes[1] < 0x90) || (first == 0xf4 && bytes[1] > 0x8f);
	return is_bad ? 0 : count;
}

/* How many bytes, in steps of eight, are ASCII. */
static size_t
json_text_ascii_length(const char *bytes, size_t length)
{
	size_t good = 0;
	for (; length - good >= sizeof(uint64_t); good += sizeof(uint64_t)) {
		uint64_t eight;
		memcpy(&eight, bytes + good, sizeof(eight));
		if ((eight & UINT64_C(0x8080808080808080)) != 0)
			break;
	}
	return good;
}

/* How many of the bytes are whole characters in a row. */
static size_t
json_text_good_length(const char *bytes, size_t length)
{
	const unsigned char *at = (const unsigned char *)bytes;
	size_t good = 0;
	while (good < length) {
		good += json_text_ascii_length(bytes + good, length - good);
		if (good == length)
			break;
		if (at[good] < 0x80) {
			good++;
			continue;
		}
		size_t count = json_text_character(at + good, length - good);
		if (count == 0)
			break;
		good += count;
	}
	return good;
}

bool
json_text_is_utf8(const char *bytes, size_t length)
{
	return json_text_good_length(bytes, length) == length;
}

/* One more byte of a character that was cut: four that are none will never be one. */
static void
json_text_check_byte(struct json_text_check *check, char byte)
{
	check->rest[check->rest_length++] = (unsigned char)byte;
	if (json_text_character(check->rest, check->rest_length) > 0)
		check->rest_length = 0;
	else
		check->is_bad = check->rest_length == sizeof(check->rest);
}

void
json_text_check(struct json_text_check *check, const char *bytes, size_t length)
{
	size_t at = 0;
	while (at < length && !check->is_bad) {
		if (check->rest_length == 0)
			at += json_text_good_length(bytes + at, length - at);
		if (at < length)
			json_text_check_byte(check, bytes[at++]);
	}
}

size_t
json_text_cut_length(const char *bytes, size_t length)
{
	for (size_t cut = 1; cut <= 3 && cut <= length; cut++) {
		unsigned char byte = (unsigned char)bytes[length - cut];
		if ((byte & 0xc0) != 0x80)
			return json_text_sequence_length(byte) > cut ? cut : 0;
	}
	return 0;
}

bool
json_text_was_utf8(const struct json_text_check *check)
{
	return !check->is_bad && check->rest_length == 0;
}

/* --- strings --- */

/* What stands behind the backslash for a byte that JSON wants escaped: u is for \u00XX; 0: as it is. */
static const char json_text_escapes[256] = {
    'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'b',         't',           'n', 'u',
    'f', 'r', 'u', 'u', 'u', 'u', 'u', 'u', 'u',         'u',           'u', 'u',
    'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', ['"'] = '"', ['\\'] = '\\',
};

static char *
json_text_escape(char *to, unsigned char byte)
{
	static const char digits[] = "0123456789abcdef";
	*to++ = '\\';
	*to++ = json_text_escapes[byte];
	if (to[-1] != 'u')
		return to;
	*to++ = '0';
	*to++ = '0';
	*to++ = digits[byte >> 4];
	*to++ = digits[byte & 15];
	return to;
}

/* So few bytes that room for the longest escapes of all is no matter. */
static int
json_text_append_few(struct buf *text, const char *bytes, size_t length)
{
	if (buf_reserve(text, 6 * length) == -1)
		return -1;
	char *to = text->bytes + text->length;
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)bytes[i];
		if (json_text_escapes[byte] == 0)
			*to++ = (char)byte;
		else
			to = json_text_escape(to, byte);
	}
	text->length = (size_t)(to - text->bytes);
	return 0;
}

int
json_text_append_part(struct buf *text, const char *bytes, size_t length)
{
	while (length > 0) {
		size_t few = length < JSON_TEXT_FEW_BYTES ? length : JSON_TEXT_FEW_BYTES;
		if (json_text_append_few(text, bytes, few) == -1)
			return -1;
		bytes += few;
		length -= few;
	}
	return 0;
}

int
json_text_append(struct buf *text, const char *bytes, size_t length)
{
	if (buf_append_char(text, '"') == -1 ||
	    json_text_append_part(text, bytes, length) == -1)
		return -1;
	return buf_append_char(text, '"');
}

/* --- base64 --- */

/* One to three bytes as four characters. */
static void
json_base64_encode(char out[4], const unsigned char *bytes, size_t length)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned int b1 = length > 1 ? bytes[1] : 0;
	unsigned int b2 = length > 2 ? bytes[2] : 0;
	out[0] = digits[bytes[0] >> 2];
	out[1] = digits[(bytes[0] << 4 | b1 >> 4) & 63];
	out[2] = '=';
	out[3] = '=';
	if (length > 1)
		out[2] = digits[(b1 << 2 | b2 >> 6) & 63];
	if (length > 2)
		out[3] = digits[b2 & 63];
}

int
json_base64_append(struct json_base64 *base64, struct buf *text, const char *bytes,
		   size_t length)
{
	const unsigned char *at = (const unsigned char *)bytes;
	if (buf_reserve(text, (length + 2) / 3 * 4) == -1)
		return -1;
	char *to = text->bytes + text->length;
	while (length > 0) {
		if (base64->rest_length == 0 && length >= 3) {
			json_base64_encode(to, at, 3);
			to += 4;
			at += 3;
			length -= 3;
			continue;
		}
		base64->rest[base64->rest_length++] = *at++;
		length--;
		if (base64->rest_length == sizeof(base64->rest)) {
			json_base64_encode(to, base64->rest, 3);
			to += 4;
			base64->rest_length = 0;
		}
	}
	text->length = (size_t)(to - text->bytes);
	return 0;
}

int
json_base64_end(struct json_base64 *base64, struct buf *text)
{
	char last[4];
	if (base64->rest_length == 0)
		return 0;
	json_base64_encode(last, base64->rest, base64->rest_length);
	base64->rest_length = 0;
	return buf_append(text, last, sizeof(last));
}

int
json_base64_append_string(struct buf *text, const char *bytes, size_t length)
{
	struct json_base64 base64 = {{0}, 0};
	if (buf_append_char(text, '"') == -1 ||
	    json_base64_append(&base64, text, bytes, length) == -1 ||
	    json_base64_end(&base64, text) == -1)
		return -1;
	return buf_append_char(text, '"');
}
