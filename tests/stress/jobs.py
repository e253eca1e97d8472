"""Random jobs: tasks, options that go together, where inputs come from, what disturbs them."""

import json
import os
from dataclasses import dataclass, field

from model import CallTask, Task

# One of these at most: what may change how a run ends, but for "none". Of workers and tasks that are
# killed; a reader that leaves; TERM and its kind; kill -9, and --resume; pinion ctl; --halt and
# --deadline; and a limit on the size of files.
HARSH = ["none"] * 5 + ["kills"] * 3 + ["gone", "term", "term", "resume", "resume", "resume",
                                        "drain", "cancel", "halt", "deadline", "full"]
NAME = "stress"  # what status and ctl call it

# Options that change nothing in what comes out.
NEUTRAL = {
    "bind": ["none", "share", "core"], "nice": ["3"], "ionice": ["idle"], "delay": ["0.001"],
    "load": ["100000"], "memfree": ["1k"], "max-pressure": ["cpu=100"], "jobserver": ["pipe", "fifo"],
    "deadline": ["8h"], "retry-on": ["all"], "backoff": ["0.01"], "termseq": ["TERM,300,KILL"],
    "halt": ["never"]}
OF_A_STAGE = ["workers", "start_method", "chunksize", "maxtasksperchild", "retries", "timeout",
              "initializer", "bind", "nice", "ionice", "delay", "load", "memfree", "max_pressure",
              "jobserver", "retry_on", "backoff", "termseq"]


@dataclass
class Job:
    folder: str
    verb: str
    command: list  # words, [] for tasks that are command lines
    tasks: list
    options: dict  # long names; True for those without a value
    inputs: str  # "args", "file" or "stdin"
    harsh: str
    gentle: list  # of "pool", "stop", "slow", "ctl"
    trickles: bool = False
    as_json: bool = False
    first_stage: list = field(default_factory=list)
    passed: str = "lines"  # from there
    is_quiet: bool = False  # its tasks print nothing

    @property
    def tries(self):
        return int(self.options.get("retries", 1))

    def has(self, option):
        return option in self.options

    def has_objects(self):
        """On stdout."""
        return self.has("json") or self.has("json-stream")

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
        if self.inputs == "jsonl":
            words += ["--jsonl", self.path("items")]
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
        source = "-" if self.inputs == "stdin" else self.path("items")
        kind = "jsonl" if self.inputs == "jsonl" else "nul" if self.has("null") else "lines"
        settings["inputs"] = {kind: source}
        settings["quiet"] = True
        command = {"map": "command"}.get(self.verb, self.verb)
        if self.first_stage:
            own = {key: settings.pop(key) for key in ("inflight", "protocol") if key in settings}
            stage = {key: settings.pop(key) for key in OF_A_STAGE if key in settings}
            settings["stages"] = [
                {**stage, "name": "first", "command": [self.command[0], "{}"], "pass": self.passed},
                {**stage, **own, "name": "second", command: self.command}]
        elif self.command:
            is_line = self.verb == "map" and len(self.command) == 1 and " " in self.command[0]
            settings[command] = self.command[0] if is_line else self.command
        return json.dumps(settings, indent=2)

    def write_files(self):
        for name in ("tmp", "runtime", *FOLDERS):
            os.mkdir(self.path(name), 0o700)
        with open(self.path("items"), "wb") as file:
            file.write(self.item_text())
        if self.as_json:
            with open(self.path("job.json"), "w") as file:
                file.write(self.spec())


FOLDERS = ["here", "there"]  # that tasks with an object of JSON may run in


def quoted(text):
    return b"'" + text.replace(b"'", b"'\\''") + b"'"


def passed_item(task, passed):
    if passed != "json":
        return task.item
    return json.dumps({"args": [task.item.decode()], "id": task.id}).encode()


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
        self.gentle = [what for what in ("pool", "stop", "slow", "ctl") if self.chance(15)]
        self.inputs = self.random.choice(["args", "file", "stdin"])
        self.as_json = self.chance(30)
        self.is_pipeline = self.as_json and self.verb != "call" and self.chance(50) and \
            self.harsh != "full"
        self.passed = self.random.choice(["lines", "lines", "output", "json"])
        self.is_quiet = self.harsh == "resume" and self.verb == "map" and self.chance(40)
        if self.is_quiet:  # and has as many workers from beginning to end
            self.gentle = [what for what in self.gentle if what not in ("pool", "ctl")]
        if self.harsh == "resume" and self.inputs == "stdin" or self.as_json and self.inputs == "args":
            self.inputs = "file"
        if self.inputs == "file" and self.verb == "map" and not self.is_pipeline and self.chance(50):
            self.inputs = "jsonl"
        self.is_text = self.inputs == "jsonl" or self.is_pipeline and self.passed == "json"
        self.options = {"jobs": str(self.random.randint(1, 6))}
        if "ctl" in self.gentle or self.harsh in ("drain", "cancel", "term"):
            self.options["name"] = NAME
        self.choose_output()
        self.choose_pool()
        self.choose_records()
        self.choose_neutral()
        self.choose_end()
        command = self.choose_command()
        count = self.random.choice([1, 3, 10, 30, 60])
        # The first of them keeps the others waiting, who have much to say.
        self.is_held_up = count > 1 and self.how != "plugin" and not self.is_quiet and \
            self.chance(10)
        self.hangs = 1 if self.options.get("timeout") else 0
        self.own_hangs = 1 if self.inputs == "jsonl" and self.harsh not in ("kills", "resume") else 0
        self.deaths = 2 if self.verb == "feed" and self.harsh != "kills" else 0
        tasks = [self.task(number) for number in range(1, count + 1)]
        job = Job(self.folder, self.verb, command, tasks, self.options, self.inputs, self.harsh,
                  self.gentle, self.chance(30), self.as_json, is_quiet=self.is_quiet)
        if self.is_pipeline:
            self.add_first_stage(job)
        return job

    def choose_neutral(self):
        for name, values in NEUTRAL.items():
            if self.chance(8) and not (name == "termseq" and self.verb == "call"):
                self.options[name] = self.random.choice(values)
        if self.verb != "call" and self.chance(15):
            self.options["initializer"] = "export STRESS_SAYS=ready"

    def choose_end(self):
        if self.harsh == "deadline":
            self.options["deadline"] = self.random.choice(["0.05", "0.2", "0.5"])
        if self.harsh == "halt":
            self.options["halt"] = "%s,%s=%d" % (
                self.random.choice(["soon", "now"]),
                self.random.choice(["fail", "fail", "success", "done"]), self.random.randint(1, 5))
        if self.harsh == "full":
            self.options["buffer"] = "1k"

    def choose_output(self):
        if self.chance(40) or self.is_pipeline and self.chance(50):
            self.options["unordered"] = True
        look = self.random.choice(["", "", "json", "json-stream", "tag", "line-buffer"])
        if self.is_pipeline and self.harsh == "kills":
            # Only this says what became of the first stage.
            look = self.random.choice(["json", "json-stream"])
        if look in ("json", "json-stream") and self.harsh == "resume":
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
        # One that has failed and waits for its next try begins again when the run is resumed.
        if self.chance(40) and self.verb != "feed" and not self.is_quiet:
            self.options["retries"] = str(self.random.choice([2, 3]))
        if self.chance(20) and self.harsh not in ("kills", "resume") and not self.is_pipeline:
            self.options["timeout"] = "3"
        if self.verb == "feed" and self.chance(50):
            self.options["inflight"] = str(self.random.choice([2, 8]))
        self.delimiter = b"\n"
        has_lines = self.verb == "feed" and "line-buffer" in self.options
        if self.chance(40) and not self.is_pipeline and not has_lines and self.inputs != "jsonl":
            self.options["null"] = True
            if self.verb == "feed":
                self.options["protocol"] = "nul"
                self.delimiter = b"\0"

    def choose_records(self):
        # In another order a task of the second stage would not have the same number again.
        if self.is_pipeline and self.harsh == "resume":
            self.options.pop("unordered", None)
        elif self.is_pipeline and (self.harsh == "kills" or "unordered" in self.options):
            return
        if self.chance(40) or self.is_pipeline:
            self.options["joblog"] = os.path.join(self.folder, "joblog")
        if self.chance(30) and not self.is_pipeline:
            self.options["run-file"] = os.path.join(self.folder, "run.db")
        if self.chance(25) and self.harsh != "resume" and not self.is_pipeline:
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
            # What one of two records knows is not run again, though a kill kept it from the other.
            if "joblog" in self.options:
                self.options.pop("run-file", None)
            if self.chance(30) and "joblog" in self.options and self.verb != "call" and \
                    not self.is_pipeline:
                self.options["results"] = os.path.join(self.folder, "results")

    def choose_command(self):
        self.how, self.wrap = "argv", bytes
        if self.verb == "call":
            self.how = "plugin"
            return [self.plugin]
        if self.verb == "feed":
            self.how = "feed"
            return [self.program, "feed", "nul" if self.delimiter == b"\0" else "line"]
        kind = self.random.choice(["argv", "argv", "exec", "shell", "plain"])
        if self.chance(15) and self.harsh != "resume" and not self.is_pipeline:
            self.how = "output"
            self.options["output"] = os.path.join(self.folder, "made", "{#}")
            return ["exec %s {} >{out}" % self.program]
        if kind == "plain" and self.inputs == "jsonl":
            kind = "argv"
        if kind == "argv" or self.is_pipeline:
            command = [self.program] + ["{}"] * self.chance(50)
            # A command line of one word needs no shell, unless an initializer has told it something.
            if len(command) == 1 and "initializer" in self.options and not self.as_json:
                self.how = "shell"
            return command
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
        if self.chance(10):
            words.append(("d", ""))
        if self.is_held_up and number == 1:
            words.append(("s", "500"))
        elif self.chance(40):
            words.append(("s", str(self.random.choice([1, 5, 20, 60]))))
        override = self.override(number, words) if self.inputs == "jsonl" else None
        tail = None
        if not self.is_quiet:
            tail = self.printing(words)
        elif self.chance(15):
            words.append(self.bad_end())
        return Task(number, words, tail, self.how, self.wrap, self.delimiter, self.says(override),
                    override)

    def says(self, override):
        own = (override or {}).get("env", {})
        return own.get("STRESS_SAYS", "ready" if "initializer" in self.options else "nothing").encode()

    def override(self, number, words):
        """What an object says of its task alone; and words that show it."""
        said = {}
        if self.chance(30):
            said["env"] = {"STRESS_SAYS": self.random.choice(["", "a b", "\u00e9"])}
        if self.chance(30):
            said["cwd"] = self.random.choice(FOLDERS * 4 + ["missing"])
        if self.chance(30):
            said["id"] = "number %d" % number
        if self.chance(30):
            said["stdin"] = {"text": "%d:first\n%d:second\n" % (number, number)}
        if self.own_hangs > 0 and self.chance(10):
            self.own_hangs -= 1
            said["timeout"] = 1
            words.append(("h", ""))
        words += [word for name, word in (("cwd", ("w", "")), ("stdin", ("r", "")))
                  if name in said and not self.is_quiet]
        return said

    def printing(self, words):
        """Adds what a task prints, and how it ends; what it prints last is the answer."""
        if self.chance(25):
            words.append(("e", self.line_numbers()))
        if self.how != "feed" or self.delimiter == b"\0":
            if self.chance(10):
                words.append(("v", ""))
            if self.chance(60):
                words.append(("o", self.line_numbers()))
            if self.is_held_up and self.chance(30):
                words.append(("o", "5000:200:1"))
        if self.chance(15):
            words.append(self.bad_end())
        # With whole lines only, which can be told apart in any order, that is all.
        if not self.options.get("line-buffer"):
            if self.chance(15):
                words.append(("l", str(self.random.choice([0, 10, 5000]))))
            elif self.chance(30):
                return self.any_bytes()
        return None

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
        if self.is_text:
            return "".join(self.random.choice("ab '\"\\${},:\u00e9\u4e2d\U0001f600")
                           for _ in range(self.random.randint(0, 30))).encode()
        return bytes(byte for byte in self.random.randbytes(self.random.randint(0, 60))
                     if byte not in never)

    def call_task(self, number):
        word = "echo"
        if self.chance(25):
            word = self.random.choice(["fail", "_exit", "slow", "segv", "huge"])
        if self.hangs > 0 and self.chance(10):
            self.hangs -= 1
            word = "hang"
        # Nothing in it says whose it is, or where it ends.
        if self.options.keys() & {"line-buffer", "unordered"} and word == "huge":
            word = "slow"
        # Tasks that are resumed by their values should have values of their own; and a plugin that
        # sleeps says when the end of the run has woken it.
        if self.harsh == "resume" and word != "fail" or word == "slow" and \
                self.harsh not in ("none", "kills", "drain", "deadline"):
            word = "echo"
        size = {"fail": (1, 255), "_exit": (1, 255), "huge": (1, 200000)}.get(word, (0, 3000))
        return CallTask(number, word, self.random.randint(*size))

    def add_first_stage(self, job):
        """Tasks whose lines are the items of the second stage; one that fails passes nothing on."""
        waiting, job.tasks, job.passed = job.tasks, [], self.passed
        while waiting:
            some = waiting[:1 if self.passed == "output" else self.random.randint(1, 5)]
            waiting = waiting[len(some):]
            text = b"\n".join(passed_item(task, self.passed) for task in some)
            words = [("s", str(self.random.randint(0, 20))), ("p", text.hex())]
            if self.chance(20):
                words.append(("x", "4"))
            else:
                job.tasks += some
            job.first_stage.append(Task(0, words))
