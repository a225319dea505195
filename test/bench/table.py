# SPDX-License-Identifier: Apache-2.0
"""The results as a table of figures and ratios."""

# (key, heading, unit's decimals, whether more is better, what kith must reach
# against the best pair).
COLUMNS = (
    ("gigabytesPerSecond", "GB/s", 2, True, 1.4),
    ("cpuSecondsPerGigabyte", "CPU s/GB", 2, False, 0.7),
    ("machineCpuSecondsPerGigabyte", "machine", 2, False, None),
    ("requestsPerSecond", "req/s", 0, True, None),
    ("p50Micros", "p50 us", 0, False, 0.9),
    ("p99Micros", "p99 us", 0, False, None),
    ("connectionsPerSecond", "conn/s", 0, True, 1.5),
    ("megabytesAtFlows", "MB@500", 1, False, 0.5),
)
_WIDTH = 10
_MOST_IDLE_MEGABYTES = 15


def _row(title, cells):
    return f"{title:16}" + "".join(f"{cell:>{_WIDTH}}" for cell in cells)


def _ratios(title, ours, others):
    cells = []
    for key, _, _, _, _ in COLUMNS:
        other = others.get(key)
        cells.append(f"{ours[key] / other:.2f}x"
                     if other and key in ours else "")
    return _row(title, cells)


def best_pair(results, pairs):
    """Returns the best figure of the pairs in each column."""
    best = {}
    for key, _, _, more, _ in COLUMNS:
        figures = [results[pair][key] for pair in pairs if pair in results]
        if figures:
            best[key] = max(figures) if more else min(figures)
    return best


def _reached(ours, best):
    cells = []
    for key, _, _, more, wanted in COLUMNS:
        if wanted is None or key not in ours or not best.get(key):
            cells.append("")
            continue
        ratio = ours[key] / best[key]
        cells.append("yes" if (ratio >= wanted if more else ratio <= wanted)
                     else "NO")
    return _row("reached", cells)


def render(results, pairs):
    """Returns the lines of the table."""
    lines = [_row("", [heading for _, heading, _, _, _ in COLUMNS])]
    for name, figures in results.items():
        lines.append(_row(name, [
            f"{figures[key]:.{decimals}f}" if key in figures else ""
            for key, _, decimals, _, _ in COLUMNS]))
    best = best_pair(results, pairs)
    if "kith" not in results or not best:
        return lines
    lines.append("")
    ours = results["kith"]
    lines.append(_ratios("kith / direct", ours, results.get("direct", {})))
    lines.append(_ratios("kith / best pair", ours, best))
    lines.append(_row("wanted", [
        "" if wanted is None else f"{'>=' if more else '<='} {wanted}x"
        for _, _, _, more, wanted in COLUMNS]))
    lines.append(_reached(ours, best))
    return lines


def render_facts(facts):
    """Returns what is told of kith alone."""
    if not facts:
        return []
    without, with_kith = (facts[name] for name in (
        "connectNanosWithoutKith", "connectNanosWithKith"))
    idle = facts["idleAgentMegabytes"]
    return [
        "",
        f"idle agent: {idle:.1f} MB resident "
        f"(wanted <= {_MOST_IDLE_MEGABYTES})",
        "connect() of a process that is no workload: "
        f"p50 {without['p50Nanos'] / 1e3:.1f} us without kith, "
        f"{with_kith['p50Nanos'] / 1e3:.1f} us with; "
        f"p99 {without['p99Nanos'] / 1e3:.1f} and "
        f"{with_kith['p99Nanos'] / 1e3:.1f} us",
    ]
