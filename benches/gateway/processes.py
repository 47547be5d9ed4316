"""Processes: how they are started and ended, what CPU time and memory they have taken."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path


class Failure(Exception):
    """Why something could not be started or measured."""


def free_port():
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A server with all its processes, which are a group of their own."""

    def __init__(self, name, command, log, environment=None):
        self.name = name
        self.log = Path(log)
        with open(log, "wb") as output:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=os.environ | (environment or {}),
                start_new_session=True,
            )

    def wait_for(self, is_up, seconds=120):
        """Waits until `is_up` returns something, and returns it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise Failure(f"{self.name} ended: {self.last_words()}")
            if found := is_up():
                return found
            time.sleep(0.05)
        raise Failure(f"{self.name} was not up after {seconds} s: {self.last_words()}")

    def listens(self, port):
        """Waits until it takes connections."""

        def is_up():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        self.wait_for(is_up)

    def last_words(self):
        lines = self.log.read_text(errors="replace").splitlines()
        return " / ".join(lines[-3:])[-400:] or "it said nothing"

    def pids(self):
        """All its processes."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    after_name = (entry / "stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue
                # Fields after the name: state, parent, group, session.
                if int(after_name[3]) == self.process.pid:
                    found.append(int(entry.name))
        return found

    def cpu_seconds(self):
        """User and system time of all its processes so far, by the kernel's clock of each."""
        # The number of a process's clock as Linux makes it (clock_getcpuclockid): /proc/PID/stat
        # counts in hundredths of a second, which is too coarse for a few thousand requests.
        return sum(time.clock_gettime(~pid << 3 | 2) for pid in self.pids())

    def memory_bytes(self):
        """Resident memory; what its processes share counts once."""
        total = 0
        for pid in self.pids():
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
        return total

    def freeze(self):
        """Stops it for a while, so that it disturbs nobody's turn."""
        os.killpg(self.process.pid, signal.SIGSTOP)

    def thaw(self):
        os.killpg(self.process.pid, signal.SIGCONT)

    def end(self):
        """Ends it with all its processes."""
        for word, seconds in ((signal.SIGTERM, 10), (signal.SIGKILL, 10)):
            try:
                os.killpg(self.process.pid, signal.SIGCONT)
                os.killpg(self.process.pid, word)
            except ProcessLookupError:
                pass
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
            if not self.pids():
                return


def run(command, environment=None):
    """Runs a program to its end; what it printed, and its own CPU seconds."""
    before = os.times()
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=os.environ | (environment or {}),
    )
    after = os.times()
    if done.returncode != 0:
        raise Failure(f"{command[0]} ended with {done.returncode}: {(done.stderr or done.stdout)[-400:]}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return done.stdout, cpu
