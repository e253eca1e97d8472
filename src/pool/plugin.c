/* plugin.c: see plugin.h. Home of dlopen. */
#include "pool/plugin.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"

#define PLUGIN_BUFFER_BYTES ((size_t)4096)     /* what a buffer begins with */
#define PLUGIN_BUFFER_KEPT ((size_t)64 * 1024) /* and what it keeps between tasks */

/* A descriptor has at least all up to task; what came later may be missing. */
#define PLUGIN_BYTES_MIN offsetof(struct pinion_plugin, task_chunk)

static const char plugin_how_to_build[] = "cc -shared -fPIC -o NAME.so NAME.c makes one";

/* --- loading --- */

/* What dlopen would say too, but about the linker and not about the file. 0: nothing found. */
static int
plugin_check_file(const char *path, struct err *err)
{
	unsigned char ident[EI_NIDENT + sizeof(uint16_t)] = {0};
	uint16_t type;
	if (strchr(path, '/') == NULL)
		return 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return err_errno(err, "cannot open %s", path);
	ssize_t got = io_read_start(fd, ident, sizeof(ident));
	int read_errno = errno;
	close(fd);
	errno = read_errno;
	if (got == -1)
		return err_errno(err, "cannot read %s", path);
	if ((size_t)got < sizeof(ident) || memcmp(ident, ELFMAG, SELFMAG) != 0)
		return err_set(err, ERR_USAGE, "%s is not a shared object; %s", path,
			       plugin_how_to_build);
	memcpy(&type, ident + EI_NIDENT, sizeof(type));
	if (type == ET_REL)
		return err_set(err, ERR_USAGE,
			       "%s is an object file, not a shared object; %s", path,
			       plugin_how_to_build);
	return 0;
}

/* One line of dlerror's, without the path it begins with. */
static int
plugin_cannot_load(const char *path, struct err *err)
{
	const char *why = dlerror();
	size_t length = strlen(path);
	if (strncmp(why, path, length) == 0 && strncmp(why + length, ": ", 2) == 0)
		why += length + 2;
	return err_set(err, ERR_USAGE, "cannot load %s: %s", path, why);
}

static int
plugin_no_symbol(const struct plugin *plugin, const char *path, const char *symbol,
		 struct err *err)
{
	if (strcmp(symbol, PLUGIN_SYMBOL) != 0 &&
	    dlsym(plugin->handle, PLUGIN_SYMBOL) != NULL)
		return err_set(err, ERR_USAGE,
			       "%s has no symbol %s; it has %s, which needs not be named",
			       path, symbol, PLUGIN_SYMBOL);
	return err_set(err, ERR_USAGE,
		       "%s has no symbol %s, the descriptor of a plugin: see "
		       "pinion-plugin(3)",
		       path, symbol);
}

/* How many bytes the symbol has, so that nothing behind it is read; 0 for a function. */
static size_t
plugin_symbol_bytes(const void *address)
{
	Dl_info info;
	const ElfW(Sym) *symbol = NULL;
	if (dladdr1(address, &info, (void **)&symbol, RTLD_DL_SYMENT) == 0 ||
	    symbol == NULL || info.dli_saddr != address)
		return SIZE_MAX; /* the linker does not know: trust it */
	return ELF64_ST_TYPE(symbol->st_info) == STT_FUNC ? 0 : symbol->st_size;
}

static int
plugin_check_head(const struct pinion_plugin *head, size_t bytes, const char *path,
		  const char *symbol, struct err *err)
{
	if (bytes == 0)
		return err_set(
		    err, ERR_USAGE,
		    "%s in %s is a function; what is called is named by a descriptor, a "
		    "const struct pinion_plugin: see pinion-plugin(3)",
		    symbol, path);
	if (bytes < offsetof(struct pinion_plugin, flags) ||
	    head->magic != PINION_PLUGIN_MAGIC)
		return err_set(err, ERR_USAGE,
			       "%s in %s is not a plugin's descriptor: see "
			       "pinion-plugin(3)",
			       symbol, path);
	if (head->abi > PINION_PLUGIN_ABI)
		return err_set(err, ERR_USAGE,
			       "%s was built for version %u of pinion-plugin.h, and this "
			       "pinion knows them up to %u: use a newer pinion, or build "
			       "it again",
			       path, head->abi, PINION_PLUGIN_ABI);
	if (head->abi == 0 || head->struct_bytes < PLUGIN_BYTES_MIN ||
	    head->struct_bytes > bytes)
		return err_set(err, ERR_USAGE,
			       "the descriptor %s in %s is cut short: begin it with "
			       "PINION_PLUGIN_HEAD",
			       symbol, path);
	return 0;
}

static int
plugin_check(const struct pinion_plugin *descriptor, const char *path, struct err *err)
{
	uint32_t unknown =
	    descriptor->flags & ~(PINION_PLUGIN_THREAD_SAFE | PINION_PLUGIN_CHUNK);
	if (unknown != 0)
		return err_set(
		    err, ERR_USAGE,
		    "%s has the flags %#x, which this pinion does not know: use a newer "
		    "pinion, or build it again",
		    path, unknown);
	if ((descriptor->flags & PINION_PLUGIN_CHUNK) != 0 && descriptor->task_chunk == NULL)
		return err_set(err, ERR_USAGE,
			       "%s has PINION_PLUGIN_CHUNK, but no task_chunk", path);
	if ((descriptor->flags & PINION_PLUGIN_CHUNK) == 0 && descriptor->task == NULL)
		return err_set(err, ERR_USAGE, "%s has no task to call", path);
	return 0;
}

int
plugin_load(struct plugin *plugin, const char *path, const char *symbol, struct err *err)
{
	*plugin = (struct plugin){0};
	if (symbol == NULL)
		symbol = PLUGIN_SYMBOL;
	if (plugin_check_file(path, err) == -1)
		return -1;
	plugin->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (plugin->handle == NULL)
		return plugin_cannot_load(path, err);
	const struct pinion_plugin *found = dlsym(plugin->handle, symbol);
	if (found == NULL) {
		plugin_no_symbol(plugin, path, symbol, err);
		goto close_handle;
	}
	if (plugin_check_head(found, plugin_symbol_bytes(found), path, symbol, err) == -1)
		goto close_handle;
	size_t known = found->struct_bytes < sizeof(plugin->descriptor)
			   ? found->struct_bytes
			   : sizeof(plugin->descriptor);
	memcpy(&plugin->descriptor, found, known);
	if (plugin_check(&plugin->descriptor, path, err) == 0)
		return 0;

close_handle:
	dlclose(plugin->handle);
	*plugin = (struct plugin){0};
	return -1;
}

/* --- init and fini --- */

/* Why init failed: its own text, in one line. */
static int
plugin_say_init(const struct plugin *plugin, int status, struct pinion_buffer *text,
		struct err *err)
{
	size_t length = text->length <= text->capacity ? text->length : 0;
	while (length > 0 && text->bytes[length - 1] == '\n')
		length--;
	for (size_t i = 0; i < length; i++)
		if (text->bytes[i] == '\n' || text->bytes[i] == '\0')
			text->bytes[i] = ' ';
	return err_set(err, ERR_BROKEN, "init of %s failed (%d)%s%.*s",
		       plugin_name(plugin), status, length > 0 ? ": " : "",
		       (int)(length < 400 ? length : 400), length > 0 ? text->bytes : "");
}

int
plugin_init(struct plugin *plugin, int argc, char *const *argv, struct err *err)
{
	struct pinion_buffer text;
	int status = 0;
	plugin_buffer_init(&text);
	if (plugin->descriptor.init != NULL)
		status = plugin->descriptor.init(argc, (const char *const *)argv,
						 &plugin->state, &text);
	plugin->is_initialised = status == 0;
	if (status != 0)
		plugin_say_init(plugin, status, &text, err);
	plugin_buffer_fini(&text);
	return status == 0 ? 0 : -1;
}

void
plugin_fini(struct plugin *plugin)
{
	if (plugin->is_initialised && plugin->descriptor.fini != NULL)
		plugin->descriptor.fini(plugin->state);
	plugin->is_initialised = false;
}

const char *
plugin_name(const struct plugin *plugin)
{
	return plugin->descriptor.name != NULL ? plugin->descriptor.name : "the plugin";
}

/* --- buffers --- */

static int
plugin_buffer_grow(struct pinion_buffer *buffer, size_t more)
{
	if (more > (size_t)PTRDIFF_MAX - buffer->length)
		return -1;
	size_t needed = buffer->length + more;
	size_t capacity = buffer->capacity < PLUGIN_BUFFER_BYTES ? PLUGIN_BUFFER_BYTES
								 : buffer->capacity;
	while (capacity < needed)
		capacity *= 2; /* no overflow: needed has a bit to spare */
	char *bytes = realloc(buffer->bytes, capacity);
	if (bytes == NULL)
		return -1;
	buffer->bytes = bytes;
	buffer->capacity = capacity;
	return 0;
}

void
plugin_buffer_init(struct pinion_buffer *buffer)
{
	*buffer = (struct pinion_buffer){.grow = plugin_buffer_grow};
}

void
plugin_buffer_fini(struct pinion_buffer *buffer)
{
	free(buffer->bytes);
	plugin_buffer_init(buffer);
}

void
plugin_buffer_clear(struct pinion_buffer *buffer)
{
	if (buffer->capacity > PLUGIN_BUFFER_KEPT)
		plugin_buffer_fini(buffer);
	buffer->length = 0;
}
