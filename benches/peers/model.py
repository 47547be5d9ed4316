"""What the peers simulate, and what their figures are held against: the model of ten-million.yaml."""

import math
from dataclasses import dataclass

ARRIVALS_PER_SECOND = 30_000 / 3_600
FAILURE_SECONDS = 0.040
CANARY_SHARE = 0.5
Z99 = 2.3263478740408408


@dataclass(frozen=True)
class Version:
    """Latencies in seconds; the lognormal distribution is given by its mean and P99."""

    name: str
    mean: float
    p99: float
    failures: float

    @property
    def sigma(self) -> float:
        return Z99 - math.sqrt(Z99 * Z99 - 2.0 * math.log(self.p99 / self.mean))

    @property
    def mu(self) -> float:
        return math.log(self.mean) - self.sigma**2 / 2.0


STABLE = Version("gpt-4-v1", 1.247, 2.156, 0.0012)
CANARY = Version("gpt-4-turbo-v2", 0.892, 1.423, 0.0008)


@dataclass(frozen=True)
class Rule:
    """Breached while more than `share` of the window's `of` are `bad`; times in whole seconds.

    A latency rule counts: its P99 lies above the threshold when more than 1 % of the successes do.
    """

    bad: str
    of: str
    share: float
    duration: int
    interval: int


MIN_REQUESTS = 10
SLOW_SECONDS = 3.0
RULES = (
    Rule("failed", "ended", 0.05, 60, 15),
    Rule("slow", "succeeded", 0.01, 30, 8),
)


def check(version: Version, requests: int, failed: int, mean: float, p99: float) -> None:
    """Refuses figures that are not those of the model: latencies within 1 %, the error rate within
    1 % or, where that is narrower than chance, four standard errors."""
    error_rate = failed / requests
    error_slack = max(
        0.01 * version.failures,
        4.0 * math.sqrt(version.failures * (1.0 - version.failures) / requests),
    )
    assert abs(mean / version.mean - 1.0) < 0.01, (version.name, "mean", mean)
    assert abs(p99 / version.p99 - 1.0) < 0.01, (version.name, "p99", p99)
    assert abs(error_rate - version.failures) < error_slack, (version.name, "error rate", error_rate)
    print(
        f"{version.name}: {requests} requests, mean {mean * 1e3:.0f} ms, p99 {p99 * 1e3:.0f} ms, "
        f"errors {error_rate:.3%}"
    )


def result(requests: int, seconds: float, checks: int) -> None:
    """The last line is what `run` reads."""
    print(f"{checks} rule checks, {requests / seconds:,.0f} requests/s")
    print(f"RESULT {requests} {seconds:.6f}")
