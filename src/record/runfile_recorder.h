/*
 * runfile_recorder.h: the process that writes a run file.
 *
 * A fork of the coordinator, from before the first worker, in a session of its own. It alone
 * knows SQLite and waits for the disk. What the coordinator says lies in a pipe until it is read,
 * so the loop does not wait; and a kill -9 of the coordinator does not take back what it has
 * said: the recorder writes down what is left in the pipe and ends.
 *
 * Commits what there is, then rests for RECORDER_PAUSE_MS: a commit, and being woken, cost as much
 * as a dozen rows, and while many tasks end there are many rows.
 */
#ifndef PINION_RUNFILE_RECORDER_H
#define PINION_RUNFILE_RECORDER_H

#include "record/records.h"

#define RECORDER_PAUSE_MS 2

/*
 * Locks on the run file, far behind its end, by fcntl: they go with their process. The
 * coordinator's says that there is a run; the recorder's, that the file is still written to,
 * which may be a moment longer.
 */
#define RUNFILE_LOCK_RUN (INT64_C(1) << 62)
#define RUNFILE_LOCK_WRITE (RUNFILE_LOCK_RUN + 1)

struct recorder_config {
	const struct records_config *records;
	int lock_fd; /* the file */
	int in_fd;
	int answer_fd;
	int pid;        /* of the coordinator */
	int holder_pid; /* of another run, which has the file locked; 0: it is ours */
};

/* Never returns. */
_Noreturn void recorder_main(const struct recorder_config *config);

#endif
