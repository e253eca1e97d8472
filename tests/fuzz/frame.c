/* Frames, and packed values: what a worker that went wrong may have left in its outbox or ring. */
#include "ipc/frame.h"
#include "fuzz.h"
#include "task/override.h"
#include "task/task.h"

static void
get_frames(const char *bytes, size_t length)
{
	struct frame_header header;
	const char *payload;
	while (frame_get(bytes, length, &header, &payload) == 1) {
		size_t taken = frame_bytes(header.payload_bytes);
		fuzz_expect(taken <= length && header.type < FRAME_TYPES);
		fuzz_expect(payload == bytes + sizeof(header));
		bytes += taken;
		length -= taken;
	}
}

static void
unpack(const char *bytes, size_t length, uint32_t count)
{
	struct arg *args = NULL;
	size_t capacity = 0;
	if (task_unpack(bytes, length, count, &args, &capacity) == 0)
		for (uint32_t i = 0; i < count; i++)
			fuzz_expect(args[i].bytes >= bytes &&
				    args[i].bytes + args[i].length < bytes + length);
	free(args);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = fuzz_string(data, size);
	get_frames(bytes, size);
	if (size > 0)
		unpack(bytes + 1, size - 1, data[0]);
	free(bytes);
	return 0;
}
