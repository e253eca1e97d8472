"""What is done to a job while it runs, at random instants: signals, kills, pinion ctl."""

import glob
import json
import os
import random
import signal
import subprocess
import time

import jobs
import processes

CTL_S = 30  # status and ctl answer within two seconds, on a machine that is not busy


class Disturber:
    """Of one run of a job. finished: whether the run is over."""

    def __init__(self, job, name, pid, finished, environment, pinion):
        self.job = job
        self.pid = pid
        self.finished = finished
        self.environment = environment
        self.pinion = pinion
        self.chance = random.Random(name)
        self.kills = 0
        self.complaint = None

    def plan(self, may_kill):
        """What to do, in turn."""
        plan = []
        if "pool" in self.job.gentle:
            plan += ["pool"] * self.chance.randint(1, 6)
        if "stop" in self.job.gentle:
            plan += ["stop"] * self.chance.randint(1, 2)
        if "ctl" in self.job.gentle:
            plan += [self.chance.choice(["jobs", "pause", "status"])
                     for _ in range(self.chance.randint(1, 6))]
        if self.job.harsh == "kills":
            plan += ["kill worker"] * self.chance.randint(0, 2)
            plan += ["kill task"] * self.chance.randint(0, 2)
        self.chance.shuffle(plan)
        if self.job.harsh in ("term", "drain"):
            plan.insert(self.chance.randint(0, len(plan)), self.job.harsh)
        if self.job.harsh == "cancel":
            for _ in range(self.chance.randint(1, 4)):
                plan.insert(self.chance.randint(0, len(plan)), "cancel")
        if self.job.harsh == "resume" and may_kill:
            plan.insert(self.chance.randint(0, len(plan)), "kill")
        return plan

    def run(self, may_kill):
        """True when the run was told to end."""
        for what in self.plan(may_kill):
            time.sleep(self.chance.random() * self.chance.choice([0.02, 0.15, 0.4]))
            if self.finished():
                return False
            try:
                getattr(self, "do_" + what.replace(" ", "_"))()
            except ProcessLookupError:
                return False
            if what == "term":
                return True
        return False

    def do_pool(self):
        number = self.chance.choice([signal.SIGUSR1, signal.SIGUSR2])
        if processes.is_ready_for(self.pid, number):
            os.kill(self.pid, number)

    def do_stop(self):
        os.kill(self.pid, signal.SIGTSTP)
        time.sleep(self.chance.choice([0.01, 0.1, 0.3]))
        os.kill(self.pid, signal.SIGCONT)

    def do_term(self):
        how = self.chance.choice([signal.SIGTERM, signal.SIGINT, signal.SIGHUP, "stop"])
        if how != "stop":
            os.kill(self.pid, how)
        elif not self.ctl("stop"):
            os.kill(self.pid, signal.SIGTERM)

    def do_kill(self):
        self.kills += 1
        os.kill(self.pid, signal.SIGKILL)

    def do_jobs(self):
        self.ctl("jobs", str(self.chance.randint(1, 8)))

    def do_pause(self):
        if self.ctl("pause"):
            time.sleep(self.chance.choice([0.01, 0.1]))
            self.ctl("resume")

    def do_status(self):
        answer = self.call("status", "--json", jobs.NAME)
        if answer is not None:
            json.loads(answer)

    def do_drain(self):
        self.ctl("drain")

    def do_cancel(self):
        stage = "2:" if self.job.first_stage else ""
        number = stage + str(self.chance.randint(1, len(self.job.tasks) or 1))
        self.ctl("cancel", *self.chance.choice([[], [number], [number]]))

    def ctl(self, *words):
        return self.call("ctl", jobs.NAME, *words) is not None

    def call(self, *words):
        """What it prints, None if there is no such run any more, or it cannot do that now."""
        while not glob.glob(self.environment["XDG_RUNTIME_DIR"] + "/*/*.run"):
            if self.finished():
                return None
            time.sleep(0.005)
        ran = subprocess.run([self.pinion, *words], env=self.environment, timeout=CTL_S,
                             stdin=subprocess.DEVNULL, capture_output=True)
        if ran.returncode == 0:
            return ran.stdout
        if ran.returncode != 1 or ran.stderr.count(b"\n") != 1:
            self.complaint = "%s: status %d: %r" % (words, ran.returncode, ran.stderr)
        return None

    def do_kill_worker(self):
        self.kill_one(self.workers())

    def do_kill_task(self):
        workers = self.workers()
        if workers:
            self.kill_one(processes.children(self.chance.choice(workers)))

    def kill_one(self, victims):
        if victims:
            victim = self.chance.choice(victims)
            mark = ("STRESS_MARK=" + self.environment["STRESS_MARK"]).encode()
            if victim in processes.marked(mark):
                os.kill(victim, signal.SIGKILL)

    def workers(self):
        """Those of a run: neither the process that writes the run file nor the fork server, the first
        of the others."""
        found = processes.children(self.pid)
        if self.job.has("run-file"):
            writers = [child for child in found
                       if processes.has_open(child, self.job.options["run-file"])]
            if len(writers) != 1:
                return []
            found.remove(writers[0])
        if self.job.options.get("start-method") == "forkserver":
            found = found[1:]
        return found
