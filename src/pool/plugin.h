/*
 * plugin.h: a shared object with a plugin in it: found, checked, initialised.
 *
 * Owns the handle of dlopen and what init left. The ABI is pinion-plugin.h; every fault a
 * library can have on the way in has its own words. Called in the process that is to run
 * the tasks, or in one that forks those.
 */
#ifndef PINION_PLUGIN_LOADER_H
#define PINION_PLUGIN_LOADER_H

#include <pinion-plugin.h>
#include <stdbool.h>

#include "base/err.h"

struct plugin {
	void *handle;
	struct pinion_plugin descriptor; /* a copy; what an older plugin lacks is 0 */
	void *state;                     /* init's */
	bool is_initialised;
};

/* The descriptor's usual name. */
#define PLUGIN_SYMBOL "pinion_plugin"

/*
 * `path` with a slash is a file; one without is for the search of dlopen(3). `symbol` NULL:
 * PLUGIN_SYMBOL. 0; -1 and err, and there is nothing to free.
 */
int plugin_load(struct plugin *plugin, const char *path, const char *symbol,
		struct err *err);

/* Calls init, if there is one: argv NULL-terminated, valid as long as the plugin. */
int plugin_init(struct plugin *plugin, int argc, char *const *argv, struct err *err);

/* Calls fini, if init was called and there is one. The library stays: it may have threads. */
void plugin_fini(struct plugin *plugin);

/* For messages: the descriptor's name, else "the plugin". */
const char *plugin_name(const struct plugin *plugin);

/* The buffers a plugin is given. */
void plugin_buffer_init(struct pinion_buffer *buffer);
void plugin_buffer_fini(struct pinion_buffer *buffer);

/* Empty again, for the next task; gives back the memory of an answer that was large. */
void plugin_buffer_clear(struct pinion_buffer *buffer);

#endif
