/* cgroup.c: see cgroup.h. */
#include "base/cgroup.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/slurp.h"

#define MOUNT_FIELDS \
	64 /* of a line of mountinfo; more optional ones than that do not exist */

/* What /proc/self says, while it is read. */
struct search {
	struct cgroups *cgroups;
	const char *paths[CGROUP_HIERARCHIES]; /* our groups; NULL: we are in none */
	struct buf membership;                 /* the paths are in it */
	struct buf mounts;
};

static const char *const controllers_v1[CGROUP_HIERARCHIES] = {
    [CGROUP_CPU] = "cpu", [CGROUP_CPUSET] = "cpuset", [CGROUP_MEMORY] = "memory"};

/* Whether `word` stands in a list of words between commas. */
static bool
list_has(const char *list, const char *word)
{
	size_t length = strlen(word);
	for (const char *at = list; at != NULL; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, word, length) == 0 &&
		    (at[length] == ',' || at[length] == '\0'))
			return true;
	}
	return false;
}

/* "4:cpu,cpuacct:/a/b", or "0::/a/b" for version 2; the path may hold colons. */
static void
membership_line(struct search *search, char *line)
{
	strsep(&line, ":");
	const char *controllers = strsep(&line, ":");
	if (line == NULL || *line != '/')
		return;
	if (*controllers == '\0')
		search->paths[CGROUP_UNIFIED] = line;
	for (int i = 0; i < CGROUP_HIERARCHIES; i++)
		if (controllers_v1[i] != NULL && list_has(controllers, controllers_v1[i]))
			search->paths[i] = line;
}

/* mountinfo writes blanks and such as \ooo. */
static void
unescape(char *field)
{
	char *to = field;
	for (const char *from = field; *from != '\0'; to++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' &&
		    from[2] >= '0' && from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
			*to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 |
				     (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/* Whether some part of the path is "..": it then lies outside of our cgroup namespace. */
static bool
leaves_namespace(const char *path)
{
	return strncmp(path, "/..", 3) == 0 && (path[3] == '/' || path[3] == '\0');
}

/*
 * What of our path lies below the mounted part of the hierarchy: "" or "/...". NULL where
 * the mount does not show us. A mount made outside of our cgroup namespace has a root of
 * "/..": it shows us at a place we cannot name, but its own root is certainly above us.
 */
static const char *
path_below(const char *mount_root, const char *path)
{
	size_t length = strcmp(mount_root, "/") == 0 ? 0 : strlen(mount_root);
	bool is_below = strncmp(path, mount_root, length) == 0 &&
			(path[length] == '/' || path[length] == '\0');
	if (is_below && !leaves_namespace(path + length))
		return strcmp(path + length, "/") == 0 ? "" : path + length;
	return !is_below && leaves_namespace(mount_root) && !leaves_namespace(path) ? ""
										    : NULL;
}

static int
place_mounted(struct search *search, enum cgroup_hierarchy hierarchy,
	      const char *mount_root, const char *mount_point)
{
	struct cgroup_place *place = &search->cgroups->places[hierarchy];
	const char *path = search->paths[hierarchy];
	if (path == NULL || place->folder.length > 0)
		return 0;
	const char *below = path_below(mount_root, path);
	if (below == NULL)
		return 0;
	if (buf_append_str(&place->folder, mount_point) == -1)
		return -1;
	place->mount_length = place->folder.length;
	return buf_append_str(&place->folder, below);
}

/* "36 35 98:0 ROOT POINT options [optional...] - TYPE SOURCE super,options" */
static int
mount_line(struct search *search, char *line)
{
	char *fields[MOUNT_FIELDS];
	size_t count = 0, dash = 0;
	for (char *field; count < MOUNT_FIELDS && (field = strsep(&line, " ")) != NULL;
	     count++) {
		fields[count] = field;
		if (dash == 0 && count > 5 && strcmp(field, "-") == 0)
			dash = count;
	}
	if (dash == 0 || dash + 3 >= count || strncmp(fields[dash + 1], "cgroup", 6) != 0)
		return 0;
	const char *options = fields[dash + 3];
	unescape(fields[3]);
	unescape(fields[4]);
	if (strcmp(fields[dash + 1], "cgroup2") == 0)
		return place_mounted(search, CGROUP_UNIFIED, fields[3], fields[4]);
	for (int i = 0; i < CGROUP_HIERARCHIES; i++)
		if (controllers_v1[i] != NULL && list_has(options, controllers_v1[i]) &&
		    place_mounted(search, (enum cgroup_hierarchy)i, fields[3],
				  fields[4]) == -1)
			return -1;
	return 0;
}

static int
search_run(struct search *search, const char *root)
{
	if (slurp(root, "/proc/self/cgroup", &search->membership) == -1 ||
	    slurp(root, "/proc/self/mountinfo", &search->mounts) == -1)
		return -1;
	char *rest = search->membership.bytes;
	for (char *line; (line = strsep(&rest, "\n")) != NULL;)
		membership_line(search, line);
	rest = search->mounts.bytes;
	for (char *line; (line = strsep(&rest, "\n")) != NULL;)
		if (mount_line(search, line) == -1)
			return -1;
	return 0;
}

int
cgroups_find(struct cgroups *cgroups, const char *root)
{
	struct search search = {.cgroups = cgroups};
	*cgroups = (struct cgroups){.root = root};
	int status = search_run(&search, root);
	buf_fini(&search.membership);
	buf_fini(&search.mounts);
	return status;
}

void
cgroups_fini(struct cgroups *cgroups)
{
	for (int i = 0; i < CGROUP_HIERARCHIES; i++)
		buf_fini(&cgroups->places[i].folder);
}

int
cgroups_climb(const struct cgroups *cgroups, enum cgroup_hierarchy hierarchy,
	      cgroup_visit *visit, void *context)
{
	const struct cgroup_place *place = &cgroups->places[hierarchy];
	struct cgroup_level level = {.root = cgroups->root};
	struct buf *folder = &level.folder;
	int status = buf_append(folder, place->folder.bytes, place->folder.length);
	while (status == 0 && folder->length > 0) {
		status = visit(context, &level);
		if (folder->length <= place->mount_length)
			break;
		while (folder->bytes[--folder->length] != '/')
			;
	}
	buf_fini(&level.folder);
	buf_fini(&level.path);
	buf_fini(&level.text);
	return status;
}

int
cgroup_read(struct cgroup_level *level, const char *name)
{
	buf_clear(&level->path);
	if (buf_append(&level->path, level->folder.bytes, level->folder.length) == -1 ||
	    buf_append_char(&level->path, '/') == -1 ||
	    buf_append_str(&level->path, name) == -1 || buf_str(&level->path) == NULL)
		return -1;
	return slurp(level->root, level->path.bytes, &level->text);
}

bool
cgroup_take_number(const char **at, long long *value)
{
	char *end;
	errno = 0;
	*value = strtoll(*at, &end, 10);
	if (end == *at || errno != 0 || (*end != '\0' && !isspace((unsigned char)*end)))
		return false;
	while (isspace((unsigned char)*end))
		end++;
	*at = end;
	return true;
}
