"""The model in vectorised numpy: chunks of requests, windows from counts per second.

Usage: python3 numpy_peer.py [REQUESTS]
"""

import sys
import time

import numpy as np

import model

SEED = 20240315
CHUNK = 1_000_000
BIN_SECONDS = 0.0005
BINS = 40_000


class Totals:
    """What is kept of all chunks."""

    def __init__(self, requests: int) -> None:
        # Room for the arrivals' scatter and the last latencies.
        seconds = int(1.1 * requests / model.ARRIVALS_PER_SECOND) + 1_000
        self.counts = {
            name: np.zeros(seconds, np.int64) for name in ("ended", "failed", "succeeded", "slow")
        }
        self.histograms = np.zeros((2, BINS), np.int64)
        self.requests = np.zeros(2, np.int64)
        self.failed = np.zeros(2, np.int64)
        self.latency_sums = np.zeros(2)
        self.last_second = 0

    def count(self, name: str, seconds: np.ndarray) -> None:
        if seconds.size:
            first = int(seconds.min())
            counted = np.bincount(seconds - first)
            self.counts[name][first : first + counted.size] += counted


def simulate(requests: int) -> Totals:
    draws = np.random.Generator(np.random.PCG64(SEED))
    totals = Totals(requests)
    clock = 0.0
    versions = (model.STABLE, model.CANARY)
    for start in range(0, requests, CHUNK):
        size = min(CHUNK, requests - start)
        gaps = draws.standard_exponential(size)
        arrivals = clock + np.cumsum(gaps) / model.ARRIVALS_PER_SECOND
        clock = float(arrivals[-1])
        canary = draws.random(size) < model.CANARY_SHARE
        for index, version in enumerate(versions):
            arrived = arrivals[canary == bool(index)]
            failed = draws.random(arrived.size) < version.failures
            latencies = np.exp(version.mu + version.sigma * draws.standard_normal(arrived.size))
            latencies[failed] = model.FAILURE_SECONDS
            successes = latencies[~failed]
            totals.requests[index] += arrived.size
            totals.failed[index] += np.count_nonzero(failed)
            totals.latency_sums[index] += successes.sum()
            bins = np.minimum((successes / BIN_SECONDS).astype(np.int64), BINS - 1)
            totals.histograms[index] += np.bincount(bins, minlength=BINS)
            if version is model.CANARY:
                ended = (arrived + latencies).astype(np.int64)
                totals.count("ended", ended)
                totals.count("failed", ended[failed])
                totals.count("succeeded", ended[~failed])
                totals.count("slow", ended[latencies > model.SLOW_SECONDS])
    totals.last_second = int(clock)
    return totals


def firings(totals: Totals) -> tuple[int, int]:
    """The number of rule checks and of those at which a rule fires. A window at t covers the whole
    seconds [t - duration, t)."""
    checks = fired = 0
    for rule in model.RULES:
        bad = np.concatenate(([0], np.cumsum(totals.counts[rule.bad])))
        of = np.concatenate(([0], np.cumsum(totals.counts[rule.of])))
        grid = np.arange(rule.interval, totals.last_second + 1, rule.interval)
        oldest = np.maximum(grid - rule.duration, 0)
        total = of[grid] - of[oldest]
        has_data = total >= model.MIN_REQUESTS
        breached = has_data & (bad[grid] - bad[oldest] > rule.share * total)
        clean = has_data & ~breached
        # The time of the last clean check at or before each check, then the first breach after it.
        last_clean = np.maximum.accumulate(np.where(clean, np.arange(grid.size), -1))
        breach_index = np.where(breached, np.arange(grid.size), grid.size)
        next_breach = np.minimum.accumulate(breach_index[::-1])[::-1]
        onset = np.append(next_breach, grid.size)[last_clean + 1]
        since = np.where(onset < grid.size, grid[np.minimum(onset, grid.size - 1)], np.inf)
        fired += np.count_nonzero(breached & (grid - since >= rule.duration))
        checks += grid.size
    return checks, fired


def main() -> None:
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    started = time.perf_counter()
    totals = simulate(requests)
    checks, fired = firings(totals)
    p99s = []
    for index in range(2):
        successes = totals.requests[index] - totals.failed[index]
        rank = np.searchsorted(np.cumsum(totals.histograms[index]), 0.99 * successes)
        p99s.append((rank + 0.5) * BIN_SECONDS)
    seconds = time.perf_counter() - started
    assert fired == 0, "a rule fired on a healthy canary"
    assert totals.requests.sum() == requests
    for index, version in enumerate((model.STABLE, model.CANARY)):
        count, failed = int(totals.requests[index]), int(totals.failed[index])
        mean = totals.latency_sums[index] / (count - failed)
        model.check(version, count, failed, mean, p99s[index])
    model.result(requests, seconds, checks)


if __name__ == "__main__":
    main()
