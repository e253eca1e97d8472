"""Reads what pinion has recorded of a job, each into a list of (seq, Record), seq from 1."""

import base64
import collections
import csv
import json
import os
import sqlite3

from model import Record

STATUS = {"done": "exit", "failed": "exit", "killed": "signal", "out_of_memory": "signal",
          "timed_out": "timeout", "no_answer": "no answer"}

csv.field_size_limit(1 << 30)


def of_exitval(exitval, signal):
    if exitval == -1:
        return "unknown", None
    return ("signal", signal) if signal != 0 else ("exit", exitval)


def joblog(path, torn=False):
    """torn: the run was killed, so a last line that is cut short does not count."""
    found = []
    with open(path, "rb") as file:
        lines = file.read().split(b"\n")
    if lines[-1] != b"" and not torn:
        raise ValueError("the joblog ends in the middle of a line")
    for line in lines[1:-1]:
        columns = line.split(b"\t", 8)
        seq, received, exitval, signal = (int(columns[i]) for i in (0, 5, 6, 7))
        found.append((seq, Record(*of_exitval(exitval, signal), stdout_bytes=received)))
    return found


def run_file(path):
    found = []
    # A run that was ended at once has not begun to write.
    if os.path.getsize(path) == 0:
        return found
    base = sqlite3.connect("file:%s?mode=rw" % path, uri=True, timeout=10)
    base.text_factory = bytes
    pieces = {}
    for task_id, stream, text in base.execute(
            "SELECT task_id, stream, bytes FROM output ORDER BY id"):
        pieces[task_id, stream] = pieces.get((task_id, stream), b"") + text
    if base.execute("PRAGMA integrity_check").fetchall() != [(b"ok",)]:
        raise ValueError("the run file is damaged")
    for row in base.execute("SELECT id, seq, reason, exit, signal, attempts, stdout_bytes, stdout, "
                            "stderr FROM task ORDER BY id"):
        task_id, seq, reason, status, signal, attempts, size, stdout, stderr = row
        reason = reason.decode()
        kind = "signal" if reason == "memory" else reason
        code = {"exit": status, "signal": signal}.get(kind)
        found.append((seq + 1, Record(
            kind, code, attempts, size,
            pieces.get((task_id, 1), b"") if stdout is None else stdout,
            pieces.get((task_id, 2), b"") if stderr is None else stderr)))
    base.close()
    return found


def text_of(record, name):
    if name in record:
        return record[name].encode()
    return base64.b64decode(record[name + "_base64"])


def args_of(record):
    if "args" in record:
        return [value.encode() for value in record["args"]]
    return [base64.b64decode(value) for value in record["args_base64"]]


def of_object(record, stdout, stderr):
    kind = STATUS.get(record["status"], record["status"])
    code = record.get({"signal": "signal", "exit": "exit"}.get(kind))
    return Record(kind, code, record["attempts"] if kind != "skipped" else None, len(stdout),
                  stdout, stderr, args_of(record))


def objects(text):
    if text and not text.endswith(b"\n"):
        raise ValueError("the JSON ends in the middle of a line")
    return [json.loads(line) for line in text.split(b"\n")[:-1]]


def json_lines(text, stage=None):
    """Those of --json and of --results FILE.jsonl; of one stage of a job."""
    return [(record["seq"], of_object(record, text_of(record, "stdout"), text_of(record, "stderr")))
            for record in objects(text) if record.get("stage") == stage]


class Stream:
    """What --json-stream has told of one task."""

    def __init__(self):
        self.is_running = False
        self.is_over = False
        self.forget()

    def forget(self):
        self.stdout = b""
        self.stderr = b""

    def take(self, event):
        """A Record at the end."""
        kind = event["event"]
        if self.is_over or self.is_running == (kind == "started"):
            # Who was never started, or whose retry never came, has an end nevertheless.
            if kind != "finished" or self.is_over:
                raise ValueError("task %d: %s out of turn" % (event["seq"], kind))
        if kind == "started":
            self.is_running = True
        elif kind == "output":
            for name in ("stdout", "stderr"):
                if name in event or name + "_base64" in event:
                    setattr(self, name, getattr(self, name) + text_of(event, name))
        elif kind == "retried":
            self.is_running = False
            self.forget()
        else:
            self.is_over = True
            return of_object(event, self.stdout, self.stderr)
        return None


def json_stream(text, stage=None):
    found = []
    streams = collections.defaultdict(Stream)
    for event in objects(text):
        seq = event["seq"]
        if event.get("stage") != stage:
            continue
        record = streams[seq].take(event)
        if record is not None:
            found.append((seq, record))
    if len(found) != len(streams):
        raise ValueError("--json-stream: a task that has begun has no end")
    return found


def jsonl(path):
    with open(path, "rb") as file:
        return json_lines(file.read())


def table(path):
    found = []
    with open(path, encoding="latin-1", newline="") as file:
        for row in list(csv.reader(file))[1:]:
            stdout = row[-2].encode("latin-1")
            kind, code = of_exitval(int(row[6]), int(row[7]))
            found.append((int(row[0]), Record(kind, code, None, int(row[5]), stdout,
                                              row[-1].encode("latin-1"))))
    return found


def folder(path, torn=False):
    """The files do not say how a task ended. torn: a result without its seq does not count."""
    found = []
    for name, _, files in os.walk(os.fsencode(path)):
        if not files or torn and b"seq" not in files:
            continue
        if sorted(files) != [b"seq", b"stderr", b"stdout"]:
            raise ValueError("in %r is %r" % (name, files))
        texts = {}
        for part in files:
            with open(os.path.join(name, part), "rb") as file:
                texts[part] = file.read()
        if torn and texts[b"seq"] == b"":
            continue
        found.append((int(texts[b"seq"]), Record("any", None, None, len(texts[b"stdout"]),
                                                 texts[b"stdout"], texts[b"stderr"])))
    return found
