/* zip.c: see zip.h. */
#include "input/zip.h"

#include <stdlib.h>

struct zip_member {
	struct items *items;
	struct row row;      /* its part, when read just now */
	struct rows kept;    /* what it gave so far, to start again from the top */
	size_t replay_index; /* its part, when has_ended */
	bool has_ended;
	bool is_empty;
	bool is_kept;
};

void
zip_init(struct zip *zip, const struct columns *columns, bool wraps)
{
	*zip = (struct zip){.columns = columns, .wraps = wraps};
}

void
zip_fini(struct zip *zip)
{
	for (size_t i = 0; i < zip->count; i++) {
		items_close(zip->members[i].items);
		row_fini(&zip->members[i].row);
		rows_fini(&zip->members[i].kept);
	}
	free(zip->members);
	row_fini(&zip->row);
	*zip = (struct zip){0};
}

int
zip_add(struct zip *zip, struct items *items, struct err *err)
{
	struct zip_member *members =
	    reallocarray(zip->members, zip->count + 1, sizeof(*members));
	if (members == NULL) {
		items_close(items);
		return err_no_memory(err);
	}
	zip->members = members;
	zip->members[zip->count++] = (struct zip_member){.items = items};
	zip->live_count++;
	return 0;
}

/* The member's next item, as columns in its row. */
static enum source_status
zip_read(struct zip *zip, struct zip_member *member, struct err *err)
{
	struct arg item;
	enum source_status status = items_next(member->items, &item, err);
	bool is_empty = status == SOURCE_END && !zip->has_started;
	if (status != SOURCE_TASK && !is_empty)
		return status;
	row_clear(&member->row);
	if (is_empty) {
		member->is_empty = true;
		if (row_add(&member->row, "", 0) == -1)
			goto no_memory;
	} else if (items_split(member->items, zip->columns, &item, &member->row, err) ==
		   -1) {
		return SOURCE_ERROR;
	}
	if (!member->is_kept || rows_add(&member->kept, &member->row) == 0)
		return SOURCE_TASK;

no_memory:
	err_no_memory(err);
	return SOURCE_ERROR;
}

static enum source_status
zip_pull(struct zip *zip, struct zip_member *member, struct err *err)
{
	if (member->has_ended) {
		member->replay_index = (member->replay_index + 1) % member->kept.count;
		return SOURCE_TASK;
	}
	enum source_status status = zip_read(zip, member, err);
	if (status != SOURCE_END)
		return status;
	zip->live_count--;
	if (!zip->wraps || zip->live_count == 0)
		return SOURCE_END;
	member->has_ended = true;
	member->replay_index = 0;
	return SOURCE_TASK;
}

/* What no other member can outlive need not be kept. */
static void
zip_stop_keeping(struct zip *zip)
{
	for (size_t i = 0; i < zip->count; i++) {
		struct zip_member *member = &zip->members[i];
		if (member->is_kept && !member->has_ended) {
			rows_fini(&member->kept);
			member->is_kept = false;
		}
	}
}

static int
zip_append_part(const struct zip_member *member, struct row *row)
{
	if (member->has_ended)
		return rows_append(&member->kept, member->replay_index, row);
	for (size_t i = 0; i < member->row.count; i++)
		if (row_add(row, member->row.args[i].bytes, member->row.args[i].length) ==
		    -1)
			return -1;
	return 0;
}

/* All parts one after another. */
static enum source_status
zip_assemble(struct zip *zip, struct err *err)
{
	row_clear(&zip->row);
	for (size_t i = 0; i < zip->count; i++) {
		if (zip_append_part(&zip->members[i], &zip->row) == -1) {
			err_no_memory(err);
			return SOURCE_ERROR;
		}
	}
	return SOURCE_TASK;
}

static void
zip_start(struct zip *zip)
{
	for (size_t i = 0; i < zip->count; i++)
		zip->members[i].is_kept = zip->wraps && zip->count > 1;
}

enum source_status
zip_next(struct zip *zip, const struct row **row, struct err *err)
{
	if (!zip->has_started && zip->pulled == 0)
		zip_start(zip);
	for (; zip->pulled < zip->count; zip->pulled++) {
		enum source_status status = zip_pull(zip, &zip->members[zip->pulled], err);
		if (status != SOURCE_TASK)
			return status;
	}
	zip->pulled = 0;
	zip->has_started = true;
	if (zip->count == 1) {
		*row = &zip->members[0].row;
		return SOURCE_TASK;
	}
	*row = &zip->row;
	enum source_status status = zip_assemble(zip, err);
	if (zip->wraps && zip->live_count == 1)
		zip_stop_keeping(zip);
	return status;
}

struct items *
zip_only_items(const struct zip *zip)
{
	return zip->count == 1 ? zip->members[0].items : NULL;
}

int
zip_fd(const struct zip *zip)
{
	return zip->pulled < zip->count ? items_fd(zip->members[zip->pulled].items) : -1;
}

bool
zip_is_empty(const struct zip *zip)
{
	for (size_t i = 0; i < zip->count; i++)
		if (!zip->members[i].is_empty)
			return false;
	return true;
}

bool
zip_is_exhausted(const struct zip *zip)
{
	size_t exhausted_count = 0;
	for (size_t i = 0; i < zip->count; i++)
		if (items_is_exhausted(zip->members[i].items))
			exhausted_count++;
	return zip->wraps ? exhausted_count == zip->count : exhausted_count > 0;
}

bool
zip_shares_input(const struct zip *zip, const struct items *items)
{
	for (size_t i = 0; i < zip->count; i++)
		if (items_share_input(zip->members[i].items, items))
			return true;
	return false;
}
