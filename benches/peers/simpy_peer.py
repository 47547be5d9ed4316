"""The model in SimPy: one process per request, one per rule, windows as queues.

Usage: python3 simpy_peer.py [REQUESTS]
"""

import random
import sys
import time
from collections import deque

import simpy

import model

SEED = 20240315


class Window:
    """Counts over the last `seconds`; what has left is taken off when it is asked."""

    def __init__(self, rule: model.Rule) -> None:
        self.rule = rule
        self.entries: deque[tuple[float, bool, bool]] = deque()
        self.bad = 0
        self.total = 0

    def add(self, now: float, failed: bool, slow: bool) -> None:
        bad = failed if self.rule.bad == "failed" else slow
        counted = self.rule.of == "ended" or not failed
        if counted:
            self.entries.append((now, bad, counted))
            self.bad += bad
            self.total += 1

    def breached(self, now: float) -> bool | None:
        oldest = now - self.rule.duration
        while self.entries and self.entries[0][0] < oldest:
            self.bad -= self.entries.popleft()[1]
            self.total -= 1
        if self.total < model.MIN_REQUESTS:
            return None
        return self.bad > self.rule.share * self.total


class Simulation:
    def __init__(self, requests: int) -> None:
        self.environment = simpy.Environment()
        self.draws = random.Random(SEED)
        self.requests = requests
        self.latencies: dict[str, list[float]] = {"gpt-4-v1": [], "gpt-4-turbo-v2": []}
        self.failed = {"gpt-4-v1": 0, "gpt-4-turbo-v2": 0}
        self.windows = [Window(rule) for rule in model.RULES]
        self.canary_share = model.CANARY_SHARE
        self.checks = 0
        self.arriving = True

    def request(self, version: model.Version):
        failed = self.draws.random() < version.failures
        latency = (
            model.FAILURE_SECONDS
            if failed
            else self.draws.lognormvariate(version.mu, version.sigma)
        )
        yield self.environment.timeout(latency)
        if failed:
            self.failed[version.name] += 1
        else:
            self.latencies[version.name].append(latency)
        if version is model.CANARY:
            for window in self.windows:
                window.add(self.environment.now, failed, latency > model.SLOW_SECONDS)

    def arrivals(self):
        for _ in range(self.requests):
            yield self.environment.timeout(self.draws.expovariate(model.ARRIVALS_PER_SECOND))
            canary = self.draws.random() < self.canary_share
            self.environment.process(self.request(model.CANARY if canary else model.STABLE))
        self.arriving = False

    def checker(self, window: Window):
        breached_since = None
        while self.arriving:
            yield self.environment.timeout(window.rule.interval)
            self.checks += 1
            breached = window.breached(self.environment.now)
            if breached is False:
                breached_since = None
            elif breached:
                if breached_since is None:
                    breached_since = self.environment.now
                if self.environment.now - breached_since >= window.rule.duration:
                    self.canary_share = 0.0

    def run(self) -> None:
        self.environment.process(self.arrivals())
        for window in self.windows:
            self.environment.process(self.checker(window))
        self.environment.run()


def main() -> None:
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    simulation = Simulation(requests)
    started = time.perf_counter()
    simulation.run()
    figures = []
    for version in (model.STABLE, model.CANARY):
        latencies = sorted(simulation.latencies[version.name])
        p99 = latencies[int(0.99 * len(latencies))]
        figures.append((version, latencies, p99))
    seconds = time.perf_counter() - started
    assert simulation.canary_share == model.CANARY_SHARE, "a rule fired on a healthy canary"
    for version, latencies, p99 in figures:
        failed = simulation.failed[version.name]
        mean = sum(latencies) / len(latencies)
        model.check(version, len(latencies) + failed, failed, mean, p99)
    result_requests = sum(len(latencies) for _, latencies, _ in figures)
    assert result_requests + sum(simulation.failed.values()) == requests
    model.result(requests, seconds, simulation.checks)


if __name__ == "__main__":
    main()
