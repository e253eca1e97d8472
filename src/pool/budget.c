/* budget.c: see budget.h. */
#include "pool/budget.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"

#define MASK_FIRST_CPUS 1024
#define MASK_MOST_CPUS (1 << 20)
#define SLURP_STEP_BYTES 4096
#define MOUNT_FIELDS \
	64 /* of a line of mountinfo; more optional ones than that do not exist */

/* One hierarchy of control groups, and where it shows us our own one. */
struct hierarchy {
	const char *path;    /* ours, as /proc/self/cgroup says; NULL: we are in none */
	struct buf folder;   /* the same in the file system; empty: not to be seen */
	size_t mount_length; /* so much of `folder` is the mount point */
};

struct hierarchies {
	struct hierarchy cpu_v1;
	struct hierarchy cpuset_v1;
	struct hierarchy unified;
};

/* --- The affinity mask --- */

static int
mask_to_list(struct budget *budget, const cpu_set_t *mask, size_t mask_bytes)
{
	size_t count = (size_t)CPU_COUNT_S(mask_bytes, mask);
	budget->pus = calloc(count > 0 ? count : 1, sizeof(*budget->pus));
	if (budget->pus == NULL)
		return -1;
	for (unsigned int i = 0; budget->pu_count < count; i++)
		if (CPU_ISSET_S(i, mask_bytes, mask))
			budget->pus[budget->pu_count++] = i;
	return 0;
}

/* Where the kernel will not tell our mask: all that are online, counted from 0. */
static int
mask_guess(struct budget *budget)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	size_t count = online > 0 ? (size_t)online : 1;
	budget->pus = calloc(count, sizeof(*budget->pus));
	if (budget->pus == NULL)
		return -1;
	for (unsigned int i = 0; i < count; i++)
		budget->pus[budget->pu_count++] = i;
	return 0;
}

int
budget_read_affinity(struct budget *budget, struct err *err)
{
	for (int cpus = MASK_FIRST_CPUS; cpus <= MASK_MOST_CPUS; cpus *= 2) {
		cpu_set_t *mask = CPU_ALLOC(cpus);
		if (mask == NULL)
			return err_no_memory(err);
		size_t mask_bytes = CPU_ALLOC_SIZE(cpus);
		int failed = sched_getaffinity(0, mask_bytes, mask);
		bool is_too_small = failed == -1 && errno == EINVAL;
		int listed = failed == -1 ? -1 : mask_to_list(budget, mask, mask_bytes);
		CPU_FREE(mask);
		if (is_too_small)
			continue;
		if (failed == -1)
			break;
		return listed == -1 ? err_no_memory(err) : 0;
	}
	return mask_guess(budget) == -1 ? err_no_memory(err) : 0;
}

int
budget_append_list(struct buf *text, const unsigned int *numbers, size_t count)
{
	for (size_t i = 0, last; i < count; i = last + 1) {
		for (last = i; last + 1 < count && numbers[last + 1] == numbers[last] + 1;
		     last++)
			;
		const char *comma = i == 0 ? "" : ",";
		int failed = last == i ? buf_printf(text, "%s%u", comma, numbers[i])
				       : buf_printf(text, "%s%u-%u", comma, numbers[i],
						    numbers[last]);
		if (failed == -1)
			return -1;
	}
	return 0;
}

/* --- Files --- */

/* All of a file's text, NUL-ended; the empty text where it cannot be read. -1 without memory. */
static int
slurp(const char *root, const char *path, struct buf *text)
{
	buf_clear(text);
	struct buf full = {0};
	if (buf_append_str(&full, root) == -1 || buf_append_str(&full, path) == -1 ||
	    buf_str(&full) == NULL) {
		buf_fini(&full);
		return -1;
	}
	int fd = open(full.bytes, O_RDONLY | O_CLOEXEC);
	buf_fini(&full);
	ssize_t got = 0;
	int failed = 0;
	while (fd != -1 && (failed = buf_reserve(text, SLURP_STEP_BYTES)) == 0) {
		got = io_read(fd, text->bytes + text->length, SLURP_STEP_BYTES);
		if (got <= 0)
			break;
		text->length += (size_t)got;
	}
	io_close(fd);
	if (got == -1)
		buf_clear(text);
	return failed == -1 || buf_str(text) == NULL ? -1 : 0;
}

static int
slurp_in(const char *root, const struct buf *folder, const char *name, struct buf *path,
	 struct buf *text)
{
	buf_clear(path);
	if (buf_append(path, folder->bytes, folder->length) == -1 ||
	    buf_append_char(path, '/') == -1 || buf_append_str(path, name) == -1 ||
	    buf_str(path) == NULL)
		return -1;
	return slurp(root, path->bytes, text);
}

/* --- Where our control groups are --- */

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
membership_line(struct hierarchies *all, char *line)
{
	strsep(&line, ":");
	const char *controllers = strsep(&line, ":");
	if (line == NULL || *line != '/')
		return;
	if (*controllers == '\0')
		all->unified.path = line;
	if (list_has(controllers, "cpu"))
		all->cpu_v1.path = line;
	if (list_has(controllers, "cpuset"))
		all->cpuset_v1.path = line;
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
hierarchy_mounted(struct hierarchy *hierarchy, const char *mount_root,
		  const char *mount_point)
{
	if (hierarchy->path == NULL || hierarchy->folder.length > 0)
		return 0;
	const char *below = path_below(mount_root, hierarchy->path);
	if (below == NULL)
		return 0;
	if (buf_append_str(&hierarchy->folder, mount_point) == -1)
		return -1;
	hierarchy->mount_length = hierarchy->folder.length;
	return buf_append_str(&hierarchy->folder, below);
}

/* "36 35 98:0 ROOT POINT options [optional...] - TYPE SOURCE super,options" */
static int
mount_line(struct hierarchies *all, char *line)
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
		return hierarchy_mounted(&all->unified, fields[3], fields[4]);
	if (list_has(options, "cpu") &&
	    hierarchy_mounted(&all->cpu_v1, fields[3], fields[4]) == -1)
		return -1;
	return list_has(options, "cpuset")
		   ? hierarchy_mounted(&all->cpuset_v1, fields[3], fields[4])
		   : 0;
}

/* The paths in `all` point into `membership`. */
static int
hierarchies_find(struct hierarchies *all, const char *root, struct buf *membership,
		 struct buf *mounts)
{
	if (slurp(root, "/proc/self/cgroup", membership) == -1 ||
	    slurp(root, "/proc/self/mountinfo", mounts) == -1)
		return -1;
	char *rest = membership->bytes;
	for (char *line; (line = strsep(&rest, "\n")) != NULL;)
		membership_line(all, line);
	rest = mounts->bytes;
	for (char *line; (line = strsep(&rest, "\n")) != NULL;)
		if (mount_line(all, line) == -1)
			return -1;
	return 0;
}

static void
hierarchies_fini(struct hierarchies *all)
{
	buf_fini(&all->cpu_v1.folder);
	buf_fini(&all->cpuset_v1.folder);
	buf_fini(&all->unified.folder);
}

/* --- What they say --- */

/* Takes a number and the blanks behind it; false where there is none. */
static bool
take_number(const char **at, long long *value)
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

static int
replace_string(char **string, const char *with)
{
	char *copy = strdup(with);
	if (copy == NULL)
		return -1;
	free(*string);
	*string = copy;
	return 0;
}

/* Keeps the tightest; of equals the one nearest to us, which is seen first. */
static int
quota_seen(struct budget *budget, long long quota_us, long long period_us, const char *path)
{
	if (quota_us <= 0 || period_us <= 0)
		return 0;
	double cpus = (double)quota_us / (double)period_us;
	if (budget->quota_path != NULL && cpus >= budget->quota_cpus)
		return 0;
	budget->quota_cpus = cpus;
	return replace_string(&budget->quota_path, path);
}

/* A file and the text last read from one; kept over all levels. */
struct reading {
	const char *root;
	struct buf path;
	struct buf text;
};

typedef int level_visit(struct budget *budget, const struct buf *folder,
			struct reading *reading);

/* cpu.max: "150000 100000" or "max 100000" */
static int
quota_v2(struct budget *budget, const struct buf *folder, struct reading *reading)
{
	if (slurp_in(reading->root, folder, "cpu.max", &reading->path, &reading->text) == -1)
		return -1;
	const char *at = reading->text.bytes;
	long long quota_us, period_us;
	if (!take_number(&at, &quota_us) || !take_number(&at, &period_us) || *at != '\0')
		return 0;
	return quota_seen(budget, quota_us, period_us, reading->path.bytes);
}

static int
quota_v1(struct budget *budget, const struct buf *folder, struct reading *reading)
{
	long long quota_us, period_us;
	if (slurp_in(reading->root, folder, "cpu.cfs_period_us", &reading->path,
		     &reading->text) == -1)
		return -1;
	const char *at = reading->text.bytes;
	if (!take_number(&at, &period_us) || *at != '\0')
		return 0;
	if (slurp_in(reading->root, folder, "cpu.cfs_quota_us", &reading->path,
		     &reading->text) == -1)
		return -1;
	at = reading->text.bytes;
	if (!take_number(&at, &quota_us) || *at != '\0')
		return 0;
	return quota_seen(budget, quota_us, period_us, reading->path.bytes);
}

/* The nearest level that has a list; the kernel already cut it to what the levels above allow. */
static int
cpuset_level(struct budget *budget, const struct buf *folder, struct reading *reading)
{
	static const char *const names[] = {"cpuset.cpus.effective",
					    "cpuset.effective_cpus"};
	for (size_t i = 0; budget->cpuset_path == NULL && i < 2; i++) {
		if (slurp_in(reading->root, folder, names[i], &reading->path,
			     &reading->text) == -1)
			return -1;
		char *list = reading->text.bytes;
		size_t length = strspn(list, "0123456789,-");
		if (length == 0 || (list[length] != '\n' && list[length] != '\0'))
			continue;
		list[length] = '\0';
		if (replace_string(&budget->cpuset_cpus, list) == -1 ||
		    replace_string(&budget->cpuset_path, reading->path.bytes) == -1)
			return -1;
	}
	return 0;
}

/* Visits our own level, then all above it up to the mount point. Uses up the folder's name. */
static int
hierarchy_climb(struct hierarchy *hierarchy, struct budget *budget,
		struct reading *reading, level_visit *visit)
{
	struct buf level = {0};
	if (buf_append(&level, hierarchy->folder.bytes, hierarchy->folder.length) == -1)
		return -1;
	int failed = 0;
	while (failed == 0 && level.length > 0) {
		failed = visit(budget, &level, reading);
		if (level.length <= hierarchy->mount_length)
			break;
		while (level.bytes[--level.length] != '/')
			;
	}
	buf_fini(&level);
	return failed;
}

int
budget_read_cgroups(struct budget *budget, const char *root, struct err *err)
{
	struct hierarchies all = {0};
	struct buf membership = {0}, mounts = {0};
	struct reading reading = {.root = root};
	int failed = hierarchies_find(&all, root, &membership, &mounts);
	if (failed == 0)
		failed = hierarchy_climb(&all.unified, budget, &reading, quota_v2);
	if (failed == 0)
		failed = hierarchy_climb(&all.cpu_v1, budget, &reading, quota_v1);
	if (failed == 0)
		failed = hierarchy_climb(&all.cpuset_v1, budget, &reading, cpuset_level);
	if (failed == 0)
		failed = hierarchy_climb(&all.unified, budget, &reading, cpuset_level);
	buf_fini(&reading.text);
	buf_fini(&reading.path);
	hierarchies_fini(&all);
	buf_fini(&mounts);
	buf_fini(&membership);
	return failed == -1 ? err_no_memory(err) : 0;
}

void
budget_fini(struct budget *budget)
{
	free(budget->pus);
	free(budget->quota_path);
	free(budget->cpuset_cpus);
	free(budget->cpuset_path);
	*budget = (struct budget){0};
}
