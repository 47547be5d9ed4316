"""Times load generators in turns and prints one table. Started by `run`, which installs them."""

import argparse
import json
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "gateway"))

import contenders as who  # noqa: E402
import traffic  # noqa: E402
from processes import Failure, run  # noqa: E402
from table import columns, spread  # noqa: E402

# Requests a second of the open loop.
RATE = 2000
THREADS = 2


@dataclass
class Figures:
    """What was measured of a generator under a workload, a number for each round."""

    per_second: list = field(default_factory=list)
    cpu_us: list = field(default_factory=list)
    paced_cpu_us: list = field(default_factory=list)
    p50_us: list = field(default_factory=list)
    p99_us: list = field(default_factory=list)
    lag_p50_us: list = field(default_factory=list)
    lag_p99_us: list = field(default_factory=list)


class Generator:
    """A load generator, and the mock that it asks."""

    def __init__(self, kit, mock, workload, body):
        self.kit, self.workload, self.body = kit, workload, body
        self.url = f"http://127.0.0.1:{mock.port}{mock.path(workload)}"


class Wrk(Generator):
    name = "wrk"

    def saturate(self, seconds):
        environment = self.kit.environment() | {"BENCH_BODY": self.body}
        command = [
            *(self.kit.program("wrk"), "--threads", str(THREADS), "--connections", str(self.workload.connections)),
            *("--duration", f"{seconds}s", "--timeout", "60s", "--script", str(who.HERE / "post.lua"), self.url),
        ]
        output, cpu = run(command, environment)
        _, requests, microseconds, failures = output.splitlines()[-1].split()
        if int(failures):
            raise Failure(f"wrk: {failures} failures")
        return int(requests) / (int(microseconds) / 1e6), cpu / int(requests) * 1e6

    def pace(self, seconds):
        """It has no rate."""
        return None


class Oha(Generator):
    name = "oha"

    def ask(self, *options):
        command = [
            *(self.kit.program("oha"), "--no-tui", "--output-format", "json", "-m", "POST", *options),
            *("-T", "application/json", "-D", self.body, self.url),
        ]
        output, cpu = run(command)
        result = json.loads(output)
        requests = result["statusCodeDistribution"].get("200", 0)
        if set(result["statusCodeDistribution"]) != {"200"} or set(result["errorDistribution"]) - {
            "aborted due to deadline"
        }:
            raise Failure(f"oha: {result['statusCodeDistribution']} {result['errorDistribution']}")
        return result, requests, cpu / requests * 1e6

    def saturate(self, seconds):
        result, requests, cpu_us = self.ask("-z", f"{seconds}s", "-c", str(self.workload.connections))
        return requests / result["summary"]["total"], cpu_us

    def pace(self, seconds):
        options = ("-z", f"{seconds}s", "-w", "-q", str(RATE), "-c", "64", "--latency-correction")
        result, _, cpu_us = self.ask(*options)
        percentiles = result["latencyPercentiles"]
        return cpu_us, percentiles["p50"] * 1e6, percentiles["p99"] * 1e6, None, None


class Coalmine(Generator):
    name = "coalmine"

    def ask(self, *options):
        command = [
            *(self.kit.program("coalmine"), "load", self.url, "--model", "m", "--body", self.body, *options),
            *("--threads", str(THREADS), "--lag-limit", "1h", "--format", "json"),
        ]
        output, cpu = run(command)
        report = json.loads(output)
        requests = report["requests"]["succeeded"]
        if requests != report["requests"]["ended"] or not report["valid"]:
            raise Failure(f"coalmine: {report['requests']} {report['reasons']}")
        return report, cpu / requests * 1e6

    def saturate(self, seconds):
        report, cpu_us = self.ask("--concurrency", str(self.workload.connections), "--for", f"{seconds}s")
        return report["rates"]["succeeded"], cpu_us

    def pace(self, seconds):
        report, cpu_us = self.ask("--rate", f"{RATE}/s", "--for", f"{seconds}s")
        latency, lag = report["times"]["latency"], report["times"]["lag"]
        return cpu_us, *(times[name] / 1e3 for times in (latency, lag) for name in ("p50_ns", "p99_ns"))


def turn(generator, seconds, figures):
    """One generator's turn; `None` where it warms up."""
    saturated = generator.saturate(seconds)
    paced = generator.pace(seconds) or (None,) * 5
    if figures is None:
        return
    names = ("per_second", "cpu_us", "paced_cpu_us", "p50_us", "p99_us", "lag_p50_us", "lag_p99_us")
    for name, value in zip(names, (*saturated, *paced)):
        getattr(figures, name).append(value)


def text(workloads, figures):
    """A block for each workload, a line for each generator."""
    lines = []
    heads = ("requests/s", "CPU us each", f"CPU us at {RATE:,}/s", "p50 us", "p99 us", "lag p50 us", "lag p99 us")
    for workload in workloads:
        rows = [(f"{workload.name}, {workload.connections} connections", *heads)]
        for kind in (Wrk, Oha, Coalmine):
            own = figures[workload.name, kind.name]
            cells = [spread(own.per_second), spread(own.cpu_us, 1), spread(own.paced_cpu_us, 1)]
            cells += [spread(values) for values in (own.p50_us, own.p99_us, own.lag_p50_us, own.lag_p99_us)]
            rows.append((kind.name, *cells))
        lines += [*columns(rows), ""]
    lines.append("medians of the rounds (lowest to highest); latencies count from when a request was due")
    lines.append("-: wrk has no rate, oha does not tell its lag apart")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--installed", required=True, type=Path)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--seconds", type=int, required=True)
    options = parser.parse_args()
    who.hold_to_two_cores()
    with tempfile.TemporaryDirectory(dir=options.installed) as folder:
        kit = who.Kit(options.installed, Path(folder).resolve())
        try:
            mock, can_stream = who.mock(kit)
            workloads = [it for it in traffic.WORKLOADS if it.body_bytes == 1024 and (can_stream or not it.is_stream)]
            figures = {(it.name, kind.name): Figures() for it in workloads for kind in (Wrk, Oha, Coalmine)}
            for number in range(options.rounds + 1):
                began = time.monotonic()
                for place, workload in enumerate(workloads):
                    who.check(mock, workload)
                    body = kit.folder / f"body-{place}.json"
                    body.write_bytes(traffic.request_body(workload))
                    for kind in (Wrk, Oha, Coalmine):
                        generator = kind(kit, mock, workload, str(body))
                        own = figures[workload.name, kind.name] if number > 0 else None
                        turn(generator, options.seconds, own)
                print(f"round {number} of {options.rounds}: {time.monotonic() - began:.0f} s", file=sys.stderr)
        except Failure as failure:
            sys.exit(f"nothing was measured: {failure}")
        finally:
            kit.end()
    print(text(workloads, figures))


if __name__ == "__main__":
    main()
