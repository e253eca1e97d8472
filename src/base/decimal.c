/* decimal.c: see decimal.h. */
#include "base/decimal.h"

#include <string.h>

#include "base/clock.h"

#define DECIMAL_DIGITS_MAX 20 /* of UINT64_MAX */

/* "00" to "99", by the number. */
static void
decimal_put_pair(char to[2], uint32_t number)
{
	static const char pairs[] = "00010203040506070809"
				    "10111213141516171819"
				    "20212223242526272829"
				    "30313233343536373839"
				    "40414243444546474849"
				    "50515253545556575859"
				    "60616263646566676869"
				    "70717273747576777879"
				    "80818283848586878889"
				    "90919293949596979899";
	memcpy(to, pairs + (size_t)2 * number, 2);
}

static size_t
decimal_length(uint64_t number)
{
	size_t length = 1;
	for (uint64_t top = 10; number >= top; top *= 10)
		if (++length == DECIMAL_DIGITS_MAX)
			break;
	return length;
}

char *
decimal_put(char *to, uint64_t number)
{
	char *end = to + decimal_length(number), *at = end;
	for (; number > UINT32_MAX; number /= 100)
		decimal_put_pair(at -= 2, number % 100);
	uint32_t rest = (uint32_t)number; /* which is faster to divide */
	for (; rest >= 100; rest /= 100)
		decimal_put_pair(at -= 2, rest % 100);
	if (rest >= 10)
		decimal_put_pair(at - 2, rest);
	else
		at[-1] = (char)('0' + rest);
	return end;
}

char *
decimal_put_seconds(char *to, int64_t ns, int digits)
{
	uint64_t count = ns < 0 ? 0 : (uint64_t)ns;
	uint32_t rest = (uint32_t)(count % (uint64_t)NS_PER_S);
	to = decimal_put(to, count / (uint64_t)NS_PER_S);
	*to++ = '.';
	for (int i = 0; i < 4;
	     i++) { /* all nine: those that are too many lie behind the end */
		decimal_put_pair(to + 2 * i, rest / 10000000);
		rest = rest % 10000000 * 100;
	}
	to[8] = (char)('0' + rest / 100000000);
	return to + digits;
}
