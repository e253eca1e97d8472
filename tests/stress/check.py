"""Compares what came out of a job with what had to; what is wrong is raised as Wrong."""

import collections
import os
import signal

import model
import records


class Wrong(Exception):
    pass


def wrong_if(answer):
    if answer:
        raise Wrong(answer)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def tag_of(job, task):
    return task.value if job.has("tag") else None


def read_record(job, name, torn, complete):
    reader = {"joblog": lambda path: records.joblog(path, torn), "run-file": records.run_file,
              "jsonl": records.jsonl, "table": records.table,
              "folder": lambda path: records.folder(path, torn)}[name]
    path = job.options["results" if name in ("jsonl", "table", "folder") else name]
    # A run that was ended at once has not begun to write.
    return reader(path) if complete or os.path.exists(path) else []


def of_each(name, found, count, complete):
    """The records by seq: one for each task, or when the run was ended, at most one."""
    by_seq = {}
    for seq, record in found:
        if seq in by_seq:
            raise Wrong("%s: two records of task %d" % (name, seq))
        if not 1 <= seq <= count:
            raise Wrong("%s: a record of task %d, which there is not" % (name, seq))
        by_seq[seq] = record
    if complete and len(by_seq) != count:
        missing = sorted(set(range(1, count + 1)) - by_seq.keys())
        raise Wrong("%s: no record of the tasks %s" % (name, missing))
    return by_seq


def look_at(job, name, task, seq, record, ended):
    """One record against the model."""
    killed = job.harsh == "kills"
    if record.kind == "any":
        seen = model.last_attempt(task, job.tries)
        seen.is_cut = killed or ended and job.tries > 1
    else:
        seen = model.explain(task, record, job.tries, killed, ended)
    if seen is None:
        undisturbed = model.last_attempt(task, job.tries)
        raise Wrong("%s: task %d (%r): %s %s after %s attempts, not %s after %d" % (
            name, seq, task.item[:60], record.kind, record.code, record.attempts,
            undisturbed.attempt.end, len(undisturbed.attempts)))
    if record.args is not None and record.args != [task.value]:
        raise Wrong("%s: task %d has the values %r" % (name, seq, record.args))
    for stream in ("stdout", "stderr"):
        have, want = getattr(record, stream), getattr(seen.attempt, stream)
        if have is None or stream == "stderr" and job.verb == "feed":
            continue
        # A shell may say how its child died.
        if stream == "stderr" and getattr(task, "how", "") in ("shell", "output"):
            continue
        if not (have == want or seen.is_cut and want.startswith(have)):
            raise Wrong("%s: task %d: its %s is %d bytes, not %d: %r" % (
                name, seq, stream, len(have), len(want), have[:60]))
    if record.stdout_bytes is not None and not seen.is_cut and \
            record.stdout_bytes != len(seen.attempt.stdout):
        raise Wrong("%s: task %d: %d bytes on stdout, not %d" % (
            name, seq, record.stdout_bytes, len(seen.attempt.stdout)))
    return seen


def objects(job, stdout, stage=None):
    reader = records.json_stream if job.has("json-stream") else records.json_lines
    return reader(stdout, stage)


def all_records(job, stdout, complete, ended=False, torn=False):
    """All records by name, each looked at. Objects on stdout are told even of tasks that were never
    started, as far as they were read."""
    count = len(job.tasks)
    # A task that was lost with its worker leaves nothing in a folder.
    found = {name: of_each(name, read_record(job, name, torn, complete), count, complete and not (
        name == "folder" and job.harsh == "kills")) for name in job.records()}
    if job.has_objects() and stdout is not None and not job.first_stage:
        found["stdout"] = of_each("--json", objects(job, stdout), count, complete)
        if not job.has("unordered") and not job.has("json-stream") and \
                list(found["stdout"]) != sorted(found["stdout"]):
            raise Wrong("--json: not in order")
    for name, by_seq in found.items():
        for seq, record in by_seq.items():
            look_at(job, name, job.tasks[seq - 1], seq, record, ended)
    return found


def best(found):
    """The records that say most; joblog before run file, as they are in the order of strength."""
    for name in ("run-file", "stdout", "jsonl", "joblog", "table"):
        if name in found:
            return found[name]
    return None


def blocks(job, found):
    """What each task has on stdout, in the order of the input."""
    if job.has("results") and not job.has("line-buffer"):
        return []
    by_seq = best(found) if job.harsh == "kills" else None
    parts = []
    for seq, task in enumerate(job.tasks, 1):
        if by_seq is not None:
            seen = look_at(job, "record", task, seq, by_seq[seq], False)
            text = seen.attempt.stdout
            if seen.is_cut:
                text = text[:by_seq[seq].stdout_bytes]
        else:
            seen = model.last_attempt(task, job.tries)
            shown = seen.attempts if job.has("line-buffer") else [seen.attempt]
            text = b"".join(attempt.stdout for attempt in shown)
        parts.append(model.tagged(tag_of(job, task), text))
    return parts


def check_stdout(job, stdout, found):
    if job.has_objects():
        return
    parts = blocks(job, found)
    if job.has("line-buffer") and job.has("unordered") and parts:
        wrong_if(model.not_lines_of(stdout, parts))
    elif job.has("unordered"):
        wrong_if(model.not_any_order(stdout, parts))
    else:
        wrong_if(model.not_in_order(stdout, parts))


def lines_of_tasks(stderr):
    return [line for line in stderr.split(b"\n") if line[:1] == b"E" and line[1:2].isdigit()]


def check_stderr(job, stderr):
    """Every line that a task wrote there, as often as it did."""
    if job.has_objects() or job.has("results") or job.has("tag") or job.harsh != "none":
        return
    # A program that has several tasks may be at the next one when it is taken to be at the first.
    if job.has("inflight"):
        return
    want = []
    for task in job.tasks:
        seen = model.last_attempt(task, job.tries)
        # What feed's programs wrote before their end is told like all else.
        shown = seen.attempts if job.has("line-buffer") else [seen.attempt]
        for attempt in shown:
            want += lines_of_tasks(attempt.stderr)
    have = lines_of_tasks(stderr)
    if sorted(have) != sorted(want):
        raise Wrong("stderr has %d lines of tasks, not %d" % (len(have), len(want)))


def is_bad(job, found):
    by_seq = best(found) if job.harsh in ("kills", "resume") else None
    if by_seq is None:
        return any(not model.last_attempt(task, job.tries).attempt.is_good() for task in
                   job.tasks + job.first_stage)
    return any((record.kind, record.code) != ("exit", 0) for record in by_seq.values())


def check_made(job, found, complete):
    """The files that --output names: whole or not there, and there if that is recorded."""
    by_seq = best(found)
    for seq, task in enumerate(job.tasks, 1):
        path = os.path.join(job.path("made"), str(seq))
        # A worker that dies leaves open whether its task was through.
        any_good = [attempt for attempt in map(task.attempt, range(1, job.tries + 1))
                    if attempt.is_good()]
        if os.path.exists(path) and (not any_good or read(path) != any_good[0].file):
            raise Wrong("task %d has made what it should not have" % seq)
        if by_seq is not None:
            must_be = seq in by_seq and (by_seq[seq].kind, by_seq[seq].code) == ("exit", 0)
        else:
            must_be = complete and job.harsh != "kills" and any_good
        if must_be and not os.path.exists(path):
            raise Wrong("the file of task %d is not there" % seq)
    if any(name.startswith(".") for name in os.listdir(job.path("made"))):
        raise Wrong("drafts are left")


def check_pipeline(job, stdout, ended):
    """Both stages, as objects tell of them: the second has what the first one passed on. Whether
    some task has failed."""
    first = of_each("first", objects(job, stdout, "first"), len(job.first_stage), not ended)
    values = []
    for seq in sorted(first):
        task = job.first_stage[seq - 1]
        if look_at(job, "first", task, seq, first[seq], ended).attempt.is_good() and \
                (first[seq].kind, first[seq].code) == ("exit", 0):
            values += model.values_passed(task, job.passed)
    second = of_each("second", objects(job, stdout, "second"), len(values), not ended)
    by_value = {task.value: task for task in job.tasks}
    seen = [second[seq].args[0] for seq in sorted(second)]
    if ended or job.has("unordered"):
        if len(set(seen)) != len(seen) or not set(seen) <= set(values):
            raise Wrong("the second stage has tasks twice, or that nobody passed to it")
    elif seen != values:
        raise Wrong("the second stage has other tasks than the first one passed on")
    for seq, record in second.items():
        look_at(job, "second", by_value[record.args[0]], seq, record, ended)
    return any((record.kind, record.code) != ("exit", 0)
               for record in [*first.values(), *second.values()])


def check_whole(job, outcome):
    """A run that nobody ended."""
    if job.first_stage and job.has_objects():
        bad = check_pipeline(job, outcome.stdout, False)
        found = all_records(job, None, complete=True)
    else:
        found = all_records(job, outcome.stdout, complete=True)
        bad = is_bad(job, found)
    if outcome.status != int(bad):
        raise Wrong("exit status %d, not %d" % (outcome.status, bad))
    if not job.has_objects():
        check_stdout(job, outcome.stdout, found)
    check_stderr(job, outcome.stderr)
    if job.has("output"):
        check_made(job, found, True)


def check_ended(job, outcome, signals):
    """A run that was ended by a signal, or by its reader: no record but of what was printed."""
    if outcome.status in (0, 1):
        # It was over before; but the reader may have left while the last of it was in the pipe.
        if job.harsh == "term":
            check_whole(job, outcome)
        elif not job.has_objects():
            all_records(job, b"", complete=True)
        return
    if outcome.status not in [-number for number in signals]:
        raise Wrong("exit status %d after %s" % (outcome.status, job.harsh))
    check_part(job, outcome.stdout if job.harsh == "term" else None)


def check_part(job, stdout):
    """Of a run that was ended there are fewer records, and of tasks that were. stdout: None if not
    all of it was read."""
    if stdout is not None and job.first_stage and job.has_objects():
        check_pipeline(job, stdout, True)
    found = all_records(job, stdout, complete=False, ended=True)
    if stdout is not None and not job.has_objects():
        printed_what_is_recorded(job, best(found) or {}, stdout)
    if job.has("output") and os.path.exists(job.path("made")):
        check_made(job, found, False)


# How a run ends that has been told to start no more: what says that all was well, and what not.
STATUS_OF_PART = {"drain": 1, "cancel": 1, "deadline": 4, "full": 3}


def check_ended_well(job, outcome):
    """By pinion ctl, by --halt, by --deadline, or for want of room."""
    if job.harsh == "halt":
        check_halted(job, outcome)
    elif outcome.status == STATUS_OF_PART[job.harsh] or \
            job.harsh == "deadline" and outcome.status == 1 and job.tries > 1:
        # With 1 after a deadline all were started, but no more tried again.
        check_part(job, outcome.stdout)
        if job.harsh == "full" and b"File too large" not in outcome.stderr:
            raise Wrong("no word of what is too large")
    else:
        check_whole(job, outcome)


def check_halted(job, outcome):
    if outcome.status not in (0, 1):
        raise Wrong("exit status %d of --halt" % outcome.status)
    if outcome.status == 0 and "fail" in job.options["halt"]:
        check_whole(job, outcome)
    else:
        check_part(job, outcome.stdout)


def printed_what_is_recorded(job, by_seq, stdout):
    """A record says done only when the output is out."""
    if job.has("results") or job.has("line-buffer"):
        return
    for seq, record in by_seq.items():
        task = job.tasks[seq - 1]
        if (record.kind, record.code) != ("exit", 0):
            continue
        text = model.tagged(tag_of(job, task), model.last_attempt(task, job.tries).attempt.stdout)
        if text not in stdout:
            raise Wrong("task %d is recorded as done, and its output is not there" % seq)


def started_in(path):
    if not os.path.exists(path):
        return []
    return [int(line.split()[0]) for line in read(path).split(b"\n")[:-1]]


class Resumed:
    """A job that is killed and resumed until it is done."""

    def __init__(self, job):
        self.job = job
        self.before = {}
        self.starts = collections.Counter()  # of each task, in how many runs
        self.kills = 0

    def check_run(self, outcome, effects):
        """Each of its runs, the last one, too."""
        done = outcome.status in (0, 1)
        if not done and outcome.status != -signal.SIGKILL:
            raise Wrong("exit status %d when it was resumed" % outcome.status)
        found = all_records(self.job, b"", complete=done, torn=not done)
        for name in ("joblog", "run-file"):
            if name not in found:
                continue
            lost = self.before.get(name, set()) - found[name].keys()
            if lost:
                raise Wrong("%s: the records of %s are gone" % (name, sorted(lost)))
        known = best({name: found[name] for name in ("run-file", "joblog") if name in found})
        recorded_by = "run-file" if "run-file" in found else "joblog"
        old = self.before.get(recorded_by, set())
        new = {seq: record for seq, record in known.items() if seq not in old}
        started = set(started_in(effects))
        self.starts.update(started)
        self.kills += not done
        # Of a pipeline the tasks are numbered by what the first stage has passed on.
        again = {self.job.tasks[seq - 1].id for seq in old} & started
        if self.job.verb != "call" and again and len(found.keys() - {"folder"}) == 1:
            raise Wrong("recorded, and run again: %s" % sorted(again))
        printed_what_is_recorded(self.job, new, outcome.stdout)
        if done:
            # Of a pipeline the first stage is run again each time.
            bad = any((record.kind, record.code) != ("exit", 0) for record in new.values()) or \
                any(not model.last_attempt(task, 1).attempt.is_good()
                    for task in self.job.first_stage)
            if len(found.keys() - {"folder"}) == 1 and outcome.status != int(bad):
                raise Wrong("exit status %d, with failures: %s" % (outcome.status, bad))
            self.check_effects()
        self.before = {name: set(by_seq) for name, by_seq in found.items()}
        return done

    def check_effects(self):
        """Each is there, and not more than those in the hands of the workers are there again."""
        job = self.job
        ids = {task.id for task in job.tasks if getattr(task, "override", None) is None or
               task.attempt(1).end != ("exit", 126)}
        if job.verb != "call" and ids - self.starts.keys():
            raise Wrong("never run: %s" % sorted(ids - self.starts.keys()))
        repeats = sum(self.starts[task_id] - 1 for task_id in ids)
        if job.is_quiet and not job.first_stage and repeats > self.kills * int(job.options["jobs"]):
            raise Wrong("%d repeats after %d kills" % (repeats, self.kills))
