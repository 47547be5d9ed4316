#!/usr/bin/env python3
"""Runs a sweep of coalmine on the machines of a Ray cluster; see README.md beside this file.

`coalmine sweep plan` divides it once, here. Each shard is a task, in which the program itself makes
the runs, in a folder of its own; what comes back are the bytes of its rows. A task that is lost with
its machine is given to another. `coalmine sweep merge` puts the rows together, here again: the same
bytes as those of a sweep on one machine. This file knows nothing of what the program computes.
"""

import argparse
import json
import os
import pathlib
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

EXAMPLES = """\
All other arguments are those of `coalmine sweep plan`: the scenario, --seeds, --vary, --gate and so on.

examples:
  sweep.py scenarios/low-traffic.yaml --seeds 10000 --shards 40 --out reports/sweep
  sweep.py scenarios/ten-thousand.yaml --seeds 10000 --shards 100 --out reports/sweep \\
    --vary models.gpt-4.rules.conditions.0.threshold=0.02,0.05,0.1 --fail-on fail
  sweep.py scenarios/low-traffic.yaml --seeds 10000 --shards 40 --out /shared/sweep \\
    --address 10.0.0.4:6379 --cpus 4 --installed /opt/coalmine/coalmine

An interrupted sweep keeps the shards that are done in DIR/sweep.shards, and the same command goes on
from there. The exit code is that of `coalmine sweep merge`; 1 where a shard was lost too often, and
that of the program where it refuses the plan or a shard."""

# Of the program: a verdict was reached, and its files are written.
JUDGED = (0, 4, 5, 6, 99)
# Of the program: a disk is full, or the like. What else it refuses, it refuses on every machine.
FAILED = 1
# Chosen: waiting for more at once takes Ray longer, and no cluster has so many processors idle.
IN_FLIGHT = 1000
# Chosen: the names of so many shards fit into the command line of `merge`.
MOST_SHARDS = 10_000


class ShardRefused(Exception):
    """The program does not take the shard: its exit code, and what it says."""

    @property
    def code(self):
        return self.args[0]

    def __str__(self):
        return self.args[1]


class MachineFailed(Exception):
    """A machine did not bring the shard to its end; another may."""


def parse(arguments):
    parser = argparse.ArgumentParser(
        description="Run a sweep of coalmine on the machines of a Ray cluster.",
        usage="%(prog)s SCENARIO --seeds N [...] --shards N --out DIR [options]",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--shards", type=number(MOST_SHARDS), required=True, metavar="N",
        help="into how many tasks the sweep is divided: several for each processor even out the load")
    add("--out", type=pathlib.Path, required=True, metavar="DIR", help="where the files of the sweep go")
    add("--address", metavar="HOST:PORT",
        help="the cluster [default: RAY_ADDRESS, else one that runs on this machine, else a new one on it]")
    add("--coalmine", default="coalmine", metavar="PATH",
        help="the program on this machine, which is sent to the others [default: %(default)s]")
    add("--installed", metavar="PATH", help="where the program is on every machine: it is not sent")
    add("--cpus", type=number(1024), default=1, metavar="N",
        help="processors that a task takes, and runs that it makes at once [default: %(default)s]")
    add("--max-retries", type=number(1000, least=0), default=5, metavar="N",
        help="how often a shard is given to another machine after it was lost [default: %(default)s]")
    add("--allow-outside", action="store_true", help="as of `coalmine sweep`")
    for option in ("--fail-on", "--format"):
        add(option, metavar="WHAT", help="as of `coalmine sweep`")
    add("--no-charts", action="store_true", help="as of `coalmine sweep`")
    return parser.parse_known_args(arguments)


def number(most, least=1):
    def read(text):
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} to {most}")
        return int(text)

    return read


def main():
    options, terms = parse(sys.argv[1:])
    program = shutil.which(options.coalmine)
    if program is None:
        return fail(f"there is no program {options.coalmine}: name it with --coalmine", 2)
    try:
        import ray
    except ImportError:
        return fail("this Python has no Ray: pip install ray", 2)
    outside = ["--allow-outside"] if options.allow_outside else []
    shards = options.out / "sweep.shards"
    plan = shards / "plan.json"
    code = make_plan(program, terms + outside, options.shards, plan)
    if code == 0:
        code = make_shards(ray, program, options, outside, plan)
    if code == 0:
        rows = [shards / f"{index}.rows" for index in range(options.shards)]
        code = merge(program, options, outside, plan, rows)
        if code in JUDGED:
            shutil.rmtree(shards)
    return code


def make_plan(program, terms, shards, plan):
    """Writes the plan; one of another sweep is not written over, for its shards lie beside it."""
    new = plan.with_name("plan.json.new")
    code = subprocess.run([program, "sweep", "plan", *terms, "--shards", str(shards), "--output", new]).returncode
    if code != 0:
        return code
    if plan.exists() and plan.read_bytes() != new.read_bytes():
        new.unlink()
        return fail(f"{plan.parent} holds shards of another sweep: remove it, or name another folder with --out", 2)
    os.replace(new, plan)
    return 0


def make_shards(ray, program, options, outside, plan):
    """Has every shard made that is not there already."""
    missing = [index for index in range(options.shards) if not plan.with_name(f"{index}.rows").exists()]
    if not missing:
        return 0
    try:
        check_reachable(options.address)
        ray.init(address=options.address, log_to_driver=False, logging_level="warning")
    except (OSError, ValueError) as error:
        return fail(f"cannot join the cluster {options.address or ''}: {error}")
    warn_of_small_machines(ray, options.cpus)
    files = ray.put(files_of(plan, None if options.installed else program))
    command = [options.installed or "../coalmine", "sweep", "run", "../plan.json", *outside]
    task = ray.remote(run_shard).options(
        num_cpus=options.cpus,
        max_retries=options.max_retries,
        retry_exceptions=[MachineFailed, OSError],
    )
    done = options.shards - len(missing)
    waiting = {}
    while missing or waiting:
        while missing and len(waiting) < IN_FLIGHT:
            index = missing.pop(0)
            waiting[task.remote(files, [*command, "--jobs", str(options.cpus)], f"{index}/{options.shards}")] = index
        (ready,), _ = ray.wait(list(waiting), num_returns=1)
        index = waiting.pop(ready)
        try:
            machine, rows = ray.get(ready)
        except ray.exceptions.RayError as error:
            # What a task raises is wrapped into one of these.
            cause = getattr(error, "cause", error)
            if isinstance(cause, ShardRefused):
                return fail(f"shard {index}/{options.shards}: {cause}", cause.code)
            return fail(f"shard {index}/{options.shards} is given up, --max-retries {options.max_retries}: {cause}")
        write_whole(plan.with_name(f"{index}.rows"), rows)
        done += 1
        tell(f"shard {index}/{options.shards} was made on {machine}; {done} of {options.shards} are there")
    return 0


def check_reachable(address):
    """Ray itself would go on trying for minutes."""
    host, colon, port = (address or "").rpartition("//")[2].rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()


def warn_of_small_machines(ray, cpus):
    most = max(node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"])
    if most < cpus:
        tell(f"warning: no machine of the cluster has {cpus} processors, but {most:.0f} at most: all waits for one")


def files_of(plan, program):
    """What a task needs, by its path in the task's folder: `run` is where the program runs.

    Traces go along where the plan names them within the working directory; others have to lie at the
    same place on every machine.
    """
    files = {"plan.json": plan.read_bytes()}
    if program is not None:
        files["coalmine"] = pathlib.Path(program).read_bytes()
    for trace in json.loads(files["plan.json"]).get("traces", []):
        path = pathlib.PurePath(trace["path"])
        if not path.is_absolute() and ".." not in path.parts:
            files[f"run/{path}"] = pathlib.Path(path).read_bytes()
    return files


def run_shard(files, command, shard):
    """The task: makes a shard, and returns the name of the machine and the bytes of the rows."""
    machine = platform.node()
    with tempfile.TemporaryDirectory(prefix="coalmine-sweep-") as folder:
        place = pathlib.Path(folder, "run")
        place.mkdir()
        for name, content in files.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(0o700)
        rows = pathlib.Path(folder, "shard.rows")
        ended = subprocess.run(
            [*command, "--shard", shard, "--output", rows], cwd=place, stdin=subprocess.DEVNULL, capture_output=True
        )
        said = ended.stderr.decode(errors="replace").strip()
        if ended.returncode < 0:
            name = signal.Signals(-ended.returncode).name
            raise MachineFailed(f"{name} ended the program on {machine}, as where memory is short; it said: {said!r}")
        if ended.returncode == FAILED:
            raise MachineFailed(f"the program failed on {machine}: {said}")
        if ended.returncode != 0:
            raise ShardRefused(ended.returncode, f"the program ended with {ended.returncode} on {machine}: {said}")
        return machine, rows.read_bytes()


def merge(program, options, outside, plan, rows):
    command = [program, "sweep", "merge", plan, *rows, "--out", options.out, *outside]
    if options.no_charts:
        command.append("--no-charts")
    for option, value in (("--fail-on", options.fail_on), ("--format", options.format)):
        if value is not None:
            command += [option, value]
    return subprocess.run(command).returncode


def write_whole(path, content):
    """Writes a file whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content)
    os.replace(partial, path)


def tell(text):
    print(text, file=sys.stderr, flush=True)


def fail(text, code=1):
    tell(f"error: {text}")
    return code


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(fail("interrupted: the same command goes on from the shards that are done", 130))
