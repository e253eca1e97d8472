/* utf8.c: see utf8.h. */
#include "base/utf8.h"

struct utf8_range {
	uint32_t first;
	uint32_t last;
};

size_t
utf8_decode(const char *bytes, size_t length, uint32_t *code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char first = (unsigned char)bytes[0];
	size_t count = first < 0x80   ? 1
		       : first < 0xc0 ? 0
		       : first < 0xe0 ? 2
		       : first < 0xf0 ? 3
		       : first < 0xf8 ? 4
				      : 0;
	if (count == 0 || count > length)
		return 0;
	*code = count == 1 ? first : first & (0x7fU >> count);
	for (size_t i = 1; i < count; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (unsigned char)(bytes[i] & 0x3f);
	}
	bool is_surrogate = *code >= 0xd800 && *code <= 0xdfff;
	return *code < least[count] || *code > 0x10ffff || is_surrogate ? 0 : count;
}

bool
utf8_is_hidden(uint32_t code)
{
	static const struct utf8_range hidden[] = {
	    {0, 0x1f},        {0x7f, 0x9f},      {0xad, 0xad},     {0x61c, 0x61c},
	    {0x200b, 0x200f}, {0x2028, 0x202e},  {0x2060, 0x206f}, {0xfeff, 0xfeff},
	    {0xfff9, 0xfffb}, {0xe0000, 0xe0fff}};
	for (size_t i = 0; i < sizeof(hidden) / sizeof(*hidden); i++)
		if (code >= hidden[i].first && code <= hidden[i].last)
			return true;
	return false;
}
