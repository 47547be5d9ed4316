"""Times the contenders in turns and prints one table. Started by `run`, which installs them."""

import argparse
import json
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import contenders as who
import table
import traffic
from limits import ENOUGH, RATE
from processes import Failure, run

@dataclass
class Figures:
    """What was measured of a contender under a workload, a number for each round."""

    per_second: list = field(default_factory=list)
    cpu_us: list = field(default_factory=list)
    paced_cpu_us: list = field(default_factory=list)
    p50_us: list = field(default_factory=list)
    p99_us: list = field(default_factory=list)
    # Of the load tool at saturation.
    tool_cpu_us: list = field(default_factory=list)


class Bench:
    """The contenders, and what was measured of them."""

    def __init__(self, kit, seconds, workloads):
        self.kit, self.seconds, self.workloads = kit, seconds, workloads
        self.running, self.absent = [], {}
        self.figures, self.memory = {}, {}

    def body(self, workload, contender):
        """The file with the body that a contender is sent."""
        text = traffic.request_body(workload, contender.model_prefix)
        path = self.kit.folder / f"body-{contender.name}-{self.workloads.index(workload)}.json"
        path.write_bytes(text)
        return str(path)

    def saturate(self, workload, contender, seconds):
        """As many requests as it can answer."""
        environment = self.kit.environment() | {"BENCH_BODY": self.body(workload, contender)}
        if authorization := contender.headers.get("Authorization"):
            environment["BENCH_AUTHORIZATION"] = authorization
        connections = min(workload.connections, contender.most_connections)
        command = [
            *(self.kit.program("wrk"), "--threads", "2", "--connections", str(connections)),
            *("--duration", f"{seconds * contender.patience}s", "--timeout", "60s", "--script", str(who.HERE / "post.lua")),
            f"http://127.0.0.1:{contender.port}{contender.path(workload)}",
        ]
        before = contender.server.cpu_seconds()
        output, tool_cpu = run(command, environment)
        cpu = contender.server.cpu_seconds() - before
        word, requests, microseconds, failures = output.splitlines()[-1].split()
        if word != "RESULT" or int(failures):
            raise Failure(f"{contender.name}, {workload.name}: {requests} answers, {failures} failures")
        requests = int(requests)
        if not requests:
            return 0.0, None, None
        return requests / (int(microseconds) / 1e6), cpu / requests * 1e6, tool_cpu / requests * 1e6

    def pace(self, workload, contender, seconds):
        """Requests that come at their times whether or not the ones before have been answered."""
        command = [
            *(self.kit.program("oha"), "--no-tui", "--output-format", "json", "--latency-correction", "-w"),
            *("-z", f"{seconds}s", "-q", str(RATE), "-c", "64", "-m", "POST"),
            *("-T", "application/json", "-D", self.body(workload, contender)),
        ]
        for name, value in contender.headers.items():
            command += ["-H", f"{name}: {value}"]
        command.append(f"http://127.0.0.1:{contender.port}{contender.path(workload)}")
        before = contender.server.cpu_seconds()
        output, _ = run(command)
        cpu = contender.server.cpu_seconds() - before
        result = json.loads(output)
        statuses, errors = result["statusCodeDistribution"], result["errorDistribution"]
        requests = statuses.get("200", 0)
        if set(statuses) != {"200"} or errors:
            raise Failure(f"{contender.name}, {workload.name}, at {RATE}/s: {statuses} {errors}")
        if requests < 0.95 * RATE * seconds:
            # Another program has taken the cores meanwhile.
            return None
        # How long a stream lasts is the mock's to say, and its timers are not as even as a proxy is fast.
        percentiles = result["firstBytePercentiles" if workload.is_stream else "latencyPercentiles"]
        return cpu / requests * 1e6, percentiles["p50"] * 1e6, percentiles["p99"] * 1e6

    def start(self, names):
        """Starts the contenders, holds each to the mock's answers, and says who is not there."""
        direct, can_stream = who.mock(self.kit)
        if not can_stream:
            self.workloads = [workload for workload in self.workloads if not workload.is_stream]
            self.absent["streams"] = "not measured: nginx has no echo module here (libnginx-mod-http-echo)"
        # It serves all the others: it is never frozen.
        self.running.append(direct)
        for name in names:
            try:
                contender = who.ALL[name](self.kit)
            except Failure as failure:
                self.absent[name] = str(failure)
                continue
            self.running.append(contender)
        for contender in self.running:
            for workload in self.workloads:
                who.check(contender, workload)
        for contender in self.running[1:]:
            contender.server.freeze()

    def turn(self, contender, workload, is_counted):
        """One contender's turn."""
        figures = self.figures.setdefault((workload.name, contender.name), Figures())
        if contender.name != "direct":
            contender.server.thaw()
        measured = self.saturate(workload, contender, self.seconds)
        paced = self.pace(workload, contender, self.seconds) if measured[0] > ENOUGH else None
        self.memory[contender.name] = contender.server.memory_bytes()
        if contender.name != "direct":
            contender.server.freeze()
        if not is_counted:
            return
        for values, value in zip((figures.per_second, figures.cpu_us, figures.tool_cpu_us), measured):
            values.append(value)
        # `None` keeps a round's place: what is added is reckoned round by round.
        for values, value in zip((figures.paced_cpu_us, figures.p50_us, figures.p99_us), paced or [None] * 3):
            values.append(value)

    def measure(self, rounds):
        """All rounds, in each of them all contenders in turns; the first warms up."""
        for number in range(rounds + 1):
            began = time.monotonic()
            for workload in self.workloads:
                for contender in self.running:
                    self.turn(contender, workload, number > 0)
            print(f"round {number} of {rounds}: {time.monotonic() - began:.0f} s", file=sys.stderr)
        for contender in self.running:
            contender.server.thaw()
        for contender in self.running:
            for workload in self.workloads:
                # A rollback meanwhile would have changed what was measured.
                who.check(contender, workload)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--installed", required=True, type=Path)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--only", default=",".join(who.ALL))
    options = parser.parse_args()
    names = options.only.split(",")
    if unknown := set(names) - set(who.ALL):
        parser.error(f"no contender: {', '.join(sorted(unknown))}; there are {', '.join(who.ALL)}")
    who.hold_to_two_cores()
    with tempfile.TemporaryDirectory(dir=options.installed) as folder:
        kit = who.Kit(options.installed, Path(folder).resolve())
        bench = Bench(kit, options.seconds, list(traffic.WORKLOADS))
        try:
            bench.start(names)
            bench.measure(options.rounds)
        except Failure as failure:
            sys.exit(f"nothing was measured: {failure}")
        finally:
            kit.end()
    print(table.text(bench, names))


if __name__ == "__main__":
    main()
