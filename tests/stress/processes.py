"""What /proc knows of a job's processes."""

import os


def children(pid):
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def marked(mark):
    """Processes that were started by a job, wherever they have gone."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open("/proc/%s/environ" % name, "rb") as file:
                if mark in file.read().split(b"\0"):
                    found.append(int(name))
        except OSError:
            pass
    return found


def is_ready_for(pid, number):
    """Whether the signal would not just end it, as it does before it has begun to listen."""
    try:
        with open("/proc/%d/status" % pid) as file:
            fields = dict(line.split(":", 1) for line in file if ":" in line)
    except OSError:
        return False
    caught = int(fields["SigCgt"], 16) | int(fields["SigBlk"], 16)
    return bool(caught >> (number - 1) & 1)


def has_open(pid, path):
    try:
        return any(os.readlink("/proc/%d/fd/%s" % (pid, name)).startswith(path)
                   for name in os.listdir("/proc/%d/fd" % pid))
    except OSError:
        return False


def state_and_parent(pid):
    with open("/proc/%d/stat" % pid) as file:
        return file.read().rsplit(")", 1)[1].split()[:2]


def waits_for_disk(pid):
    try:
        return state_and_parent(pid)[0] == "D"
    except OSError:
        return False


def describe(pid):
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as file:
            words = file.read()[:100]
        return "%d %s %r" % (pid, state_and_parent(pid), words)
    except OSError:
        return str(pid)
