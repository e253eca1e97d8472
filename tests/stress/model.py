"""What must come out: tasks, how each of their attempts ends, and what of it may be seen.

A task's item is what pinion gets as its input. Its attempt(n) is what the nth attempt prints and how
it ends, as (kind, code); task.c knows the same words, tests/plugins/faults.c those of CallTask.
"""

import json
from dataclasses import dataclass, field


@dataclass
class Attempt:
    stdout: bytes = b""
    stderr: bytes = b""
    end: tuple = ("exit", 0)
    file: bytes = None  # that --output names

    def is_good(self):
        return self.end == ("exit", 0)


def lines(prefix, task_id, count, width, seed):
    return b"".join(
        b"%s%d:%d:%s\n" % (prefix, task_id, i,
                           bytes([97 + (seed + i) % 26]) * ((seed * 31 + i * 7) % width))
        for i in range(count))


@dataclass
class Task:
    """One for task.c. How it runs changes what its end looks like: "argv" and "exec" as it is,
    "shell" through a shell that tells of a signal by its status, "feed" by no answer at all,
    "output" into a file."""
    id: int
    words: list
    tail: bytes = None
    how: str = "argv"
    wrap: object = bytes  # makes the item of the argument
    delimiter: bytes = b""  # what ends an answer of feed
    says: bytes = b"nothing"  # $STRESS_SAYS, as --initializer or an object of JSON sets it
    override: dict = None  # with JSON lines, what is said of this one task

    @property
    def argument(self):
        words = ["i%d" % self.id] + [name + value for name, value in self.words]
        tail = b"" if self.tail is None else b",a" + self.tail
        return ",".join(words).encode() + tail

    @property
    def value(self):
        return self.wrap(self.argument)

    @property
    def item(self):
        if self.override is None:
            return self.value
        return json.dumps({**self.override, "args": [self.value.decode()]}).encode()

    def attempt(self, number):
        result = Attempt()
        if self.override and self.override.get("cwd", "").startswith("missing"):
            return Attempt(b"", b"pinion: cannot go to the folder %s: No such file or directory\n" %
                           self.override["cwd"].encode(), ("exit", 126))
        for name, value in self.words:
            if name == "f" and number <= int(value):
                result.end = ("exit", 9)
            elif name == "o":
                result.stdout += lines(b"", self.id, *map(int, value.split(":")))
            elif name == "e":
                result.stderr += lines(b"E", self.id, *map(int, value.split(":")))
            elif name == "l":
                result.stdout += b"%d:" % self.id + b"l" * int(value)
            elif name == "v":
                result.stdout += b"%d:%s\n" % (self.id, self.says)
            elif name == "w":
                result.stdout += b"%d:%s\n" % (self.id, self.override["cwd"].encode())
            elif name == "r":
                result.stdout += self.override["stdin"]["text"].encode()
            elif name == "p":
                result.stdout += bytes.fromhex(value)
            elif name == "x":
                result.end = ("exit", int(value))
            elif name == "k":
                result.end = ("signal", int(value))
            elif name == "h":
                result.end = ("timeout", None)
            if not result.is_good():
                return self.seen(result)
        if self.tail is not None:
            result.stdout += b"%d:" % self.id + self.tail
        return self.seen(result)

    def seen(self, result):
        if self.how == "shell" and result.end[0] == "signal":
            result.end = ("exit", 128 + result.end[1])
        if self.how == "output":
            result.file, result.stdout = result.stdout, b""
        if self.how == "feed":
            if result.is_good():
                result.stdout += self.delimiter
            else:
                result.stdout = b""
                if result.end[0] != "timeout":
                    result.end = ("no answer", None)
        return result


@dataclass
class CallTask:
    """One for the plugin faults."""
    id: int
    word: str
    number: int = 0

    @property
    def value(self):
        return self.item

    @property
    def item(self):
        return {
            "echo": b"%d:%s" % (self.id, b"c" * self.number),
            "fail": b"fail %d E%d:" % (self.number, self.id),
            "_exit": b"_exit %d" % self.number,
            "huge": b"huge %d" % self.number,
        }.get(self.word, self.word.encode())

    def attempt(self, _number):
        return {
            "echo": Attempt(self.item + b"\n"),
            "fail": Attempt(b"", b"E%d:\n" % self.id, ("exit", self.number)),
            "_exit": Attempt(end=("exit", self.number)),
            "huge": Attempt(b"x" * self.number),
            "slow": Attempt(b"slept\n"),
            "segv": Attempt(end=("signal", 11)),
            "hang": Attempt(end=("timeout", None)),
        }[self.word]


@dataclass
class Record:
    """What a joblog, a run file, a result or a JSON object says of a task; None: it does not say."""
    kind: str
    code: int = None
    attempts: int = None
    stdout_bytes: int = None
    stdout: bytes = None
    stderr: bytes = None
    args: list = None


@dataclass
class Seen:
    """What may be seen of a task: its attempt, and whether it may have been cut short."""
    attempt: Attempt
    is_cut: bool = False
    attempts: list = field(default_factory=list)


def last_attempt(task, tries):
    """What becomes of a task that nobody disturbs."""
    attempts = []
    for number in range(1, tries + 1):
        attempts.append(task.attempt(number))
        if attempts[-1].is_good():
            break
    return Seen(attempts[-1], False, attempts)


def same_end(record, end):
    if record.kind == "unknown":  # a joblog's -1
        return end[0] in ("timeout", "lost", "no answer")
    return record.kind == end[0] and (end[1] is None or record.code == end[1])


KILLED = [("signal", 9), ("exit", 137), ("lost", None), ("no answer", None)]
ENDED = [("cancelled", None), ("skipped", None)]


def explain(task, record, tries, killed=False, ended=False):
    """The Seen that the record tells of, or None when no such thing can have happened. killed:
    somebody kills workers and tasks; ended: somebody ends the run."""
    undisturbed = last_attempt(task, tries)
    expected = len(undisturbed.attempts)
    # What an attempt has printed that was to be tried again is forgotten, come to that or not.
    undisturbed.is_cut = ended and tries > 1 and not undisturbed.attempt.is_good()
    if same_end(record, undisturbed.attempt.end):
        if record.attempts in (None, expected) or killed and record.attempts <= tries:
            return undisturbed
    if killed:
        for number in range(1, tries + 1):
            attempt = task.attempt(number)
            if record.attempts not in (None, number):
                continue
            if same_end(record, attempt.end) and (attempt.is_good() or number == tries):
                return Seen(attempt)
            if number == tries and any(same_end(record, end) for end in KILLED):
                return Seen(attempt, is_cut=True)
    if ended and any(same_end(record, end) for end in ENDED):
        return Seen(undisturbed.attempt, is_cut=True)
    if ended:  # it has failed and is not tried again; what was to be tried again is forgotten
        for number in range(1, expected):
            if record.attempts in (None, number) and same_end(record, task.attempt(number).end):
                return Seen(task.attempt(number), is_cut=True)
    return None


def tagged(tag, text):
    """The text with the tag in front of each line, the last one, too, if it is not whole."""
    if tag is None or not text:
        return text
    whole = text[:-1] if text.endswith(b"\n") else text
    return tag + b"\t" + whole.replace(b"\n", b"\n" + tag + b"\t") + text[len(whole):]


def not_in_order(stdout, blocks):
    """Whether stdout is these blocks one behind the other; else where it stops to be."""
    at = 0
    for number, block in enumerate(blocks):
        if not stdout.startswith(block, at):
            return "byte %d of stdout, task %d: %r instead of %r" % (
                at, number, stdout[at:at + 60], block[:60])
        at += len(block)
    if at != len(stdout):
        return "stdout has more than it should: %r" % stdout[at:at + 60]
    return None


def not_any_order(stdout, blocks):
    """Whether stdout is these blocks, each whole, in any order."""
    left = sorted((block for block in blocks if block), key=len, reverse=True)
    at = 0
    while at < len(stdout):
        block = next((block for block in left if stdout.startswith(block, at)), None)
        if block is None:
            return "byte %d of stdout begins no task's output: %r" % (at, stdout[at:at + 60])
        left.remove(block)
        at += len(block)
    if left:
        return "%d outputs are not in stdout: %r" % (len(left), left[0][:60])
    return None


def not_lines_of(stdout, blocks):
    """Whether stdout is the lines of these blocks, those of each in their order."""
    def of_each(text):
        found = {}
        for line in text.split(b"\n"):
            found.setdefault(line.split(b":")[0], []).append(line)
        return found
    have, want = of_each(stdout), of_each(b"".join(blocks))
    for key in sorted(want.keys() | have.keys()):
        if have.get(key) != want.get(key):
            return "lines of %r: %d, not %d, or out of order" % (
                key, len(have.get(key, [])), len(want.get(key, [])))
    return None


def values_passed(task, passed):
    """What a task of the first stage gives the second one."""
    text = last_attempt(task, 1).attempt.stdout
    if passed == "output":
        return [text]
    if passed == "json":
        return [json.loads(line)["args"][0].encode() for line in text.split(b"\n")]
    return text.split(b"\n")
