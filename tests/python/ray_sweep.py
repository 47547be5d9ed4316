"""`deploy/ray/sweep.py` on a real cluster of Ray on this machine: a head without processors, and two workers with one each.

Arguments: the program, a folder with all that the sweep needs, and the terms of the sweep. The driver is given a program that,
before each shard, asks what is to become of it: so this decides what happens when, and nothing depends on time. What the
sweeps write goes into the folder; whoever starts this compares it.
"""

import atexit
import json
import os
import pathlib
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import threading

DRIVER = pathlib.Path(__file__).parents[2] / "deploy/ray/sweep.py"
# Only for a test that goes wrong: nothing waits for it otherwise.
PATIENCE = 120


def hold(port, program, *arguments):
    """What runs in place of the program."""
    if arguments[:2] == ("sweep", "run"):
        with socket.create_connection(("127.0.0.1", int(port))) as line:
            shard = arguments[arguments.index("--shard") + 1]
            line.sendall(json.dumps([shard, int(os.environ["RAY_RAYLET_PID"])]).encode() + b"\n")
            answer = line.makefile().readline().strip()
        if answer == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if answer != "go":
            print("no such luck", file=sys.stderr)
            sys.exit(3)
    os.execv(program, [program, *arguments])


class Ask:
    """A shard that waits for an answer."""

    def __init__(self, line):
        line.settimeout(PATIENCE)
        self.line = line
        self.shard, self.raylet = json.loads(line.makefile().readline() or "[null, null]")

    def answer(self, word):
        self.line.sendall(word.encode() + b"\n")
        return self.shard


class Driven:
    """A run of the driver."""

    def __init__(self, address, out, shards, *more):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.server.settimeout(PATIENCE)
        held = pathlib.Path("held")
        port = self.server.getsockname()[1]
        command = shlex.join([sys.executable, os.path.abspath(__file__), "hold", str(port), sys.argv[1]])
        held.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        held.chmod(0o755)
        self.process = start(address, out, shards, "--coalmine", "./held", *more)
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self):
        """Nobody asks any more when the driver has ended: who waits for it is told by a line without a word."""
        self.process.wait()
        socket.create_connection(self.server.getsockname()).close()

    def ask(self):
        ask = Ask(self.server.accept()[0])
        assert ask.shard, self.end()
        return ask

    def until_told(self, text):
        for line in self.process.stderr:
            print(line, end="", file=sys.stderr)
            if text in line:
                return
        raise AssertionError(f"{text!r} was not told")

    def end(self):
        said, told = self.process.communicate(timeout=PATIENCE)
        print(said, told, file=sys.stderr)
        return self.process.returncode, told


def start(address, out, shards, *more):
    where = ["--shards", str(shards), "--out", out, "--address", address]
    command = [sys.executable, DRIVER, *sys.argv[3:], *where, "--fail-on", "fail", *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    # Not left behind where a story goes wrong.
    atexit.register(process.kill)
    return process


def a_shard_is_made_by_another_worker_where_its_own_is_killed(cluster):
    driven = Driven(cluster.address, "killed", 6)
    first, lost = driven.ask(), driven.ask()
    assert first.raylet != lost.raylet, "one processor on each worker"
    first.answer("go")
    driven.until_told(f"shard {first.shard} was made")
    (worker,) = [node for node in cluster.worker_nodes if node.all_processes["raylet"][0].process.pid == lost.raylet]
    # SIGKILL.
    cluster.remove_node(worker, allow_graceful=False)
    made = []
    for _ in range(5):
        ask = driven.ask()
        assert ask.raylet == first.raylet, "only one worker is left"
        made.append(ask.answer("go"))
    assert lost.shard in made and len({first.shard, *made}) == 6, (first.shard, lost.shard, made)
    code, told = driven.end()
    assert code == 0, told
    assert not pathlib.Path("killed/sweep.shards").exists()


def what_is_refused_is_told_and_the_same_command_goes_on(cluster):
    driven = Driven(cluster.address, "resumed", 3)
    made, refused = driven.ask().answer("go"), driven.ask().answer("refuse")
    code, told = driven.end()
    assert code == 3 and f"error: shard {refused}: the program ended with 3 on " in told, (code, told)
    assert told.endswith(": no such luck\n"), told
    # One that another process has ended is made again.
    driven = Driven(cluster.address, "resumed", 3)
    asked = [driven.ask().answer(word) for word in ("die", "go", "go")]
    code, told = driven.end()
    assert code == 0, told
    assert len(set(asked)) == 2 and refused in asked and made not in asked, (made, asked)


def a_shard_that_is_always_lost_is_given_up(cluster):
    driven = Driven(cluster.address, "given-up", 1, "--max-retries", "1")
    for _ in range(2):
        driven.ask().answer("die")
    code, told = driven.end()
    assert code == 1 and "error: shard 0/1 is given up, --max-retries 1: " in told, (code, told)
    assert "SIGKILL" in told, told


def another_sweep_is_not_written_over(cluster):
    process = start(cluster.address, "given-up", 2, "--coalmine", sys.argv[1])
    _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2 and "given-up/sweep.shards holds shards of another sweep" in told, told


def a_cluster_that_is_not_there_is_told_at_once(_):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = "127.0.0.1:{}".format(server.getsockname()[1])
    process = start(address, "nowhere", 2, "--coalmine", sys.argv[1])
    _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1 and f"error: cannot join the cluster {address}: " in told, told


def the_program_itself_is_sent(cluster):
    process = start(cluster.address, "sent", 2, "--coalmine", sys.argv[1])
    said, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, told
    assert said.endswith("Sweep files: sent\n"), said


def main():
    os.chdir(sys.argv[2])
    # Ray's own files go here; it runs whatever it is sent by those who know the token; its makers hear nothing.
    os.environ.update(RAY_TMPDIR=os.getcwd(), RAY_USAGE_STATS_ENABLED="0")
    os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32))
    # What else runs on this machine may take its memory: no reason to end tasks here.
    os.environ.update(RAY_memory_monitor_refresh_ms="0")
    from ray.cluster_utils import Cluster

    # The program of a debug build has a hundred megabytes.
    store = {"object_store_memory": 300 * 2**20}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, **store})
    try:
        for _ in range(2):
            cluster.add_node(num_cpus=1, **store)
        for story in (
            a_shard_is_made_by_another_worker_where_its_own_is_killed,
            what_is_refused_is_told_and_the_same_command_goes_on,
            a_shard_that_is_always_lost_is_given_up,
            another_sweep_is_not_written_over,
            a_cluster_that_is_not_there_is_told_at_once,
            the_program_itself_is_sent,
        ):
            story(cluster)
    finally:
        cluster.shutdown()
    print("ok")


if __name__ == "__main__":
    if sys.argv[1] == "hold":
        hold(*sys.argv[2:])
    else:
        main()
