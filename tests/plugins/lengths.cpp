/* lengths.cpp: a plugin in C++11: a whole chunk at a time, exceptions kept inside. */
#include <pinion-plugin.h>
#include <stdexcept>
#include <string>

namespace
{

std::string
length_of(const pinion_task &task)
{
	if (std::string(task.in, task.in_bytes) == "throw")
		throw std::runtime_error("thrown");
	return std::to_string(task.in_bytes) + "\n";
}

int
lengths_chunk(pinion_chunk *chunk)
{
	for (size_t i = 0; i < chunk->count; i++) {
		try {
			const std::string text = length_of(*chunk->tasks[i]);
			chunk->answers[i]->status = pinion_append(
			    &chunk->answers[i]->out, text.data(), text.size());
		} catch (const std::exception &error) {
			pinion_fail(chunk->answers[i], 1, error.what());
		}
	}
	return 0;
}

} // namespace

const struct pinion_plugin pinion_plugin = {PINION_PLUGIN_HEAD,
					    PINION_PLUGIN_CHUNK,
					    "lengths",
					    nullptr,
					    nullptr,
					    nullptr,
					    lengths_chunk,
					    nullptr};
