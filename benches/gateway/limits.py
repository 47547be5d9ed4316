"""The rate of the open loop."""

# Requests a second.
RATE = 1000
# Who does not do this many when saturated has a queue at that rate, not a latency.
ENOUGH = 1.3 * RATE
