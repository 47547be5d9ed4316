"""The table of what was measured."""

import statistics

from limits import ENOUGH, RATE


def spread(values, digits=0):
    """A median with the lowest and the highest value."""
    values = [value for value in values if value is not None]
    if not values:
        return "-"
    low, middle, high = (f"{value:,.{digits}f}" for value in (min(values), statistics.median(values), max(values)))
    return f"{middle} ({low} to {high})"


def latencies(figures, direct):
    """What a proxy adds to p50 and p99, round by round; the whole of them for `direct` itself."""
    pairs = [(figures.p50_us, direct and direct.p50_us), (figures.p99_us, direct and direct.p99_us)]
    return [spread(differences(own, base) if direct else own) for own, base in pairs]


def differences(own, base):
    """By round; a round that either of them has no figure of has none."""
    return [mine - theirs for mine, theirs in zip(own, base) if mine is not None and theirs is not None]


def text(bench, names):
    """All of it: a block for each workload, a line for each contender."""
    lines = []
    for workload in bench.workloads:
        timed = "first byte" if workload.is_stream else "answer"
        latency_heads = (f"p50 added to {timed}, us", f"p99 added to {timed}, us")
        heads = ("requests/s", "CPU us each", f"CPU us at {RATE:,}/s", *latency_heads, "MB")
        rows = [(f"{workload.name}, {workload.connections} connections", *heads)]
        direct = bench.figures[workload.name, "direct"]
        for name in ["direct", *names]:
            figures = bench.figures.get((workload.name, name))
            if figures is None:
                rows.append((name, bench.absent.get(name, "not measured"), "", "", "", "", ""))
                continue
            rows.append(
                (
                    name,
                    spread(figures.per_second),
                    spread(figures.cpu_us, 1),
                    spread(figures.paced_cpu_us, 1),
                    *latencies(figures, None if name == "direct" else direct),
                    f"{bench.memory[name] / 1e6:.1f}",
                )
            )
        lines += columns(rows)
        lines.append("direct: the mock's own CPU, and the whole latency instead of what is added")
        lines.append(f"the load tool took {spread(direct.tool_cpu_us, 1)} us of CPU for each direct request")
        lines.append("")
    if "streams" in bench.absent:
        lines.append(f"streams: {bench.absent['streams']}")
    lines.append("medians of the rounds (lowest to highest)")
    lines.append(f"-: it does not do {ENOUGH:,.0f}/s, or did not keep to {RATE:,}/s")
    return "\n".join(lines)


def columns(rows):
    """Rows as lines; a remark in the second column takes the rest of its line."""
    full = [row for row in rows if any(row[2:])]
    widths = [max(len(row[place]) for row in full) for place in range(len(full[0]))]
    widths[0] = max(widths[0], *(len(row[0]) for row in rows))
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        if row in full:
            cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        else:
            cells.append(row[1])
        yield "  ".join(cells)
