"""Random jobs: tasks, options that go together, where inputs come from, what disturbs them."""

import json
import os
from dataclasses import dataclass, field

from model import CallTask, Task

# One of these at most: what may change how a run ends, but for "none".
HARSH = ["none"] * 4 + ["kills"] * 3 + ["gone", "term", "resume", "resume"]


@dataclass
class Job:
    folder: str
    verb: str
    command: list  # words, [] for tasks that are command lines
    tasks: list
    options: dict  # long names; True for those without a value
    inputs: str  # "args", "file" or "stdin"
    harsh: str
    gentle: list  # of "pool", "stop", "slow"
    trickles: bool = False
    as_json: bool = False
    first_stage: list = field(default_factory=list)

    @property
    def tries(self):
        return int(self.options.get("retries", 1))

    def has(self, option):
        return option in self.options

    def path(self, name):
        return os.path.join(self.folder, name)

    def records(self):
        """Names of the records that are kept in files."""
        results = self.options.get("results", "")
        kind = "jsonl" if results.endswith(".jsonl") else "table" if results.endswith(".csv") \
            else "folder"
        return [name for name in ("joblog", "run-file") if self.has(name)] + [kind] * (results != "")

    def item_text(self):
        delimiter = b"\0" if self.has("null") else b"\n"
        return b"".join(task.item + delimiter for task in self.first_stage or self.tasks)

    def argv(self):
        if self.as_json:
            return ["run", self.path("job.json")]
        words = [self.verb]
        for name, value in self.options.items():
            words.append("--" + name if value is True else "--%s=%s" % (name, value))
        if self.inputs == "file":
            words += ["-a", self.path("items")]
        words += self.command
        if self.inputs == "args":
            words += [":::"] + [task.item for task in self.tasks]
        return words

    def spec(self):
        """As a job file."""
        names = {"jobs": "workers"}
        settings = {names.get(name, name).replace("-", "_"): value
                    for name, value in self.options.items() if name not in ("null", "unordered")}
        settings["order"] = "finish" if self.has("unordered") else "input"
        source = self.path("items") if self.inputs == "file" else "-"
        settings["inputs"] = {"nul" if self.has("null") else "lines": source}
        settings["quiet"] = True
        command = {"map": "command"}.get(self.verb, self.verb)
        if self.first_stage:
            own = {key: settings.pop(key) for key in ("inflight", "protocol") if key in settings}
            stage = {key: settings.pop(key) for key in ("workers", "start_method", "chunksize",
                     "maxtasksperchild", "retries", "timeout") if key in settings}
            settings["stages"] = [
                {**stage, "command": [self.command[0], "{}"], "pass": "lines"},
                {**stage, **own, command: self.command}]
        elif self.command:
            is_line = self.verb == "map" and len(self.command) == 1 and " " in self.command[0]
            settings[command] = self.command[0] if is_line else self.command
        return json.dumps(settings, indent=2)

    def write_files(self):
        for name in ("tmp", "runtime"):
            os.mkdir(self.path(name), 0o700)
        with open(self.path("items"), "wb") as file:
            file.write(self.item_text())
        if self.as_json:
            with open(self.path("job.json"), "w") as file:
                file.write(self.spec())


def quoted(text):
    return b"'" + text.replace(b"'", b"'\\''") + b"'"


class Maker:
    """Makes one job, from what its random numbers say."""

    def __init__(self, random, folder, build):
        self.random = random
        self.folder = folder
        self.program = os.path.join(build, "stress", "task")
        self.plugin = os.path.join(build, "plugins", "faults.so")

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def make(self):
        self.verb = self.random.choice(["map", "map", "map", "feed", "call"])
        self.harsh = self.random.choice(HARSH)
        self.gentle = [what for what in ("pool", "stop", "slow") if self.chance(15)]
        self.inputs = self.random.choice(["args", "file", "stdin"])
        self.as_json = self.chance(25)
        self.is_pipeline = self.as_json and self.verb != "call" and \
            self.harsh in ("none", "term", "gone") and self.chance(50)
        if self.harsh == "resume" and self.inputs == "stdin" or self.as_json and self.inputs == "args":
            self.inputs = "file"
        self.options = {"jobs": str(self.random.randint(1, 6))}
        self.choose_output()
        self.choose_pool()
        self.choose_records()
        command = self.choose_command()
        count = self.random.choice([1, 3, 10, 30, 60])
        self.hangs = 1 if self.options.get("timeout") else 0
        self.deaths = 2 if self.verb == "feed" and self.harsh != "kills" else 0
        tasks = [self.task(number) for number in range(1, count + 1)]
        job = Job(self.folder, self.verb, command, tasks, self.options, self.inputs, self.harsh,
                  self.gentle, self.chance(30), self.as_json)
        if self.is_pipeline:
            self.add_first_stage(job)
        return job

    def choose_output(self):
        if self.chance(40) or self.is_pipeline and self.chance(50):
            self.options["unordered"] = True
        look = self.random.choice(["", "", "json", "tag", "line-buffer"])
        if look == "json" and (self.harsh == "resume" or self.is_pipeline):
            look = ""
        # Lines do not show how much of an output there is, which with kills a record has to say.
        if look == "line-buffer" and self.harsh in ("kills", "resume", "gone"):
            look = ""
        if look:
            self.options[look] = True
        if self.chance(40):
            self.options["buffer"] = self.random.choice(["1k", "64k"])
        if self.chance(30) and not self.is_pipeline and not self.options.get("unordered"):
            self.options["window"] = str(self.random.choice([2, 7]))

    def choose_pool(self):
        if self.chance(50):
            self.options["start-method"] = self.random.choice(["spawn", "forkserver"])
        if self.chance(40):
            self.options["chunksize"] = str(self.random.choice([1, 3, 16]))
        if self.chance(30):
            self.options["maxtasksperchild"] = str(self.random.choice([1, 2, 5]))
        if self.chance(40) and self.verb != "feed":
            self.options["retries"] = str(self.random.choice([2, 3]))
        if self.chance(20) and self.harsh in ("none", "term", "gone") and not self.is_pipeline:
            self.options["timeout"] = "3"
        if self.verb == "feed" and self.chance(50):
            self.options["inflight"] = str(self.random.choice([2, 8]))
        self.delimiter = b"\n"
        has_lines = self.verb == "feed" and "line-buffer" in self.options
        if self.chance(40) and not self.is_pipeline and not has_lines:
            self.options["null"] = True
            if self.verb == "feed":
                self.options["protocol"] = "nul"
                self.delimiter = b"\0"

    def choose_records(self):
        if self.is_pipeline:
            return
        if self.chance(40):
            self.options["joblog"] = os.path.join(self.folder, "joblog")
        if self.chance(30):
            self.options["run-file"] = os.path.join(self.folder, "run.db")
        if self.chance(25) and self.harsh != "resume":
            # A folder has a place for each value, and those of call are not all different.
            name = self.random.choice(["results"] * (self.verb != "call") +
                                      ["results.csv", "results.jsonl"])
            self.options["results"] = os.path.join(self.folder, name)
            # Then lines are shown as well.
            self.options.pop("line-buffer", None)
        if self.harsh in ("kills", "resume") and not \
                {"joblog", "run-file"} & self.options.keys():
            record = self.random.choice(["joblog", "run-file"])
            self.options[record] = os.path.join(self.folder, "record")
        if self.harsh == "resume":
            self.options["resume"] = True
            if self.chance(30) and "joblog" in self.options and self.verb != "call":
                self.options["results"] = os.path.join(self.folder, "results")

    def choose_command(self):
        self.how, self.wrap = "argv", bytes
        if self.verb == "call":
            return [self.plugin]
        if self.verb == "feed":
            self.how = "feed"
            return [self.program, "feed", "nul" if self.delimiter == b"\0" else "line"]
        kind = self.random.choice(["argv", "argv", "exec", "shell", "plain"])
        if kind == "argv" or self.is_pipeline:
            return [self.program] + ["{}"] * self.chance(50)
        if kind == "exec":
            return ["exec %s {}" % self.program]
        if kind == "shell":
            self.how = "shell"
            return ["%s {} && :" % self.program]
        self.wrap = lambda text: b"exec %s %s" % (quoted(os.fsencode(self.program)), quoted(text))
        return []

    def task(self, number):
        if self.verb == "call":
            return self.call_task(number)
        words = []
        if self.how != "feed" and self.chance(10):
            words.append(("f", str(self.random.randint(1, 3))))
        if self.chance(15):
            words.append(("c", "200"))
        if self.chance(40):
            words.append(("s", str(self.random.choice([1, 5, 20, 60]))))
        if self.chance(25):
            words.append(("e", self.line_numbers()))
        if self.chance(60) and (self.how != "feed" or self.delimiter == b"\0"):
            words.append(("o", self.line_numbers()))
        if self.chance(15):
            words.append(self.bad_end())
        tail = None
        if self.options.get("line-buffer"):
            # Whole lines only, which can be told apart in any order.
            return Task(number, words, None, self.how, self.wrap, self.delimiter)
        if self.chance(15):
            words.append(("l", str(self.random.choice([0, 10, 5000]))))
        elif self.chance(30):
            tail = self.any_bytes()
        return Task(number, words, tail, self.how, self.wrap, self.delimiter)

    def line_numbers(self):
        count = self.random.choice([1, 2, 10, 100] if self.chance(95) else [5000])
        return "%d:%d:%d" % (count, self.random.choice([1, 20, 200]), self.random.randrange(1000))

    def bad_end(self):
        if self.hangs > 0 and self.chance(50):
            self.hangs -= 1
            return "h", ""
        if self.how == "feed" and self.deaths == 0:
            return "s", "1"
        self.deaths -= 1
        if self.chance(50):
            return "x", str(self.random.choice([1, 2, 77, 255]))
        return "k", str(self.random.choice([6, 9, 10, 11, 15]))

    def any_bytes(self):
        """What an input can hold; a tag has to be on one line, to be told from what it tags."""
        never = {0} if self.options.get("null") or self.inputs == "args" else {0, 10}
        if self.how == "feed" and self.delimiter == b"\n" or self.options.get("tag"):
            never = {0, 10}
        return bytes(byte for byte in self.random.randbytes(self.random.randint(0, 60))
                     if byte not in never)

    def call_task(self, number):
        word = "echo"
        if self.chance(25):
            word = self.random.choice(["fail", "_exit", "slow", "segv", "huge"])
        if self.hangs > 0 and self.chance(10):
            self.hangs -= 1
            word = "hang"
        # Tasks that are resumed by their values should have values of their own; and a plugin that
        # sleeps says when the end of the run has woken it.
        if self.harsh == "resume" and word != "fail" or self.harsh == "term" and word == "slow":
            word = "echo"
        # Nothing in it says whose it is, or where it ends.
        if self.options.keys() & {"line-buffer", "unordered"} and word == "huge":
            word = "slow"
        size = {"fail": (1, 255), "_exit": (1, 255), "huge": (1, 200000)}.get(word, (0, 3000))
        return CallTask(number, word, self.random.randint(*size))

    def add_first_stage(self, job):
        """Tasks whose lines are the items of the second stage; one that fails passes nothing on."""
        waiting, job.tasks = job.tasks, []
        while waiting:
            some = waiting[:self.random.randint(1, 5)]
            waiting = waiting[len(some):]
            text = b"\n".join(task.item for task in some)
            words = [("s", str(self.random.randint(0, 20))), ("p", text.hex())]
            if self.chance(20):
                words.append(("x", "4"))
            else:
                job.tasks += some
            job.first_stage.append(Task(0, words))
