"""Measured intervals of simulated recordings against the truth, by the limits of IEC 60601-2-25.

    python benchmarks/simulated_intervals.py [--method network] [--rates 250 500 1000] [--all-rows]

Every preset of the simulator is delineated and measured at each rate, clean and with each of the
standard's disturbances: 25 uV RMS of noise, 50 uV peak to peak of mains at 50 Hz, 1 mV peak to
peak of wander at 0.3 Hz; and with the three together, which the standard does not ask for. The
truth is what the simulation was asked for, exactly. Where a rhythm has no P waves, P and PR must
be refused. ``--method truth`` measures on the true marks, which leaves the delineation out.
Prints a row an interval, rate and disturbance, and every value that is out of its limits; the exit
status is 1 if there is any.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, pstdev

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ecgcore.signal.delineation import METHODS, delineate
from ecgcore.signal.delineation.waves import Delineation
from ecgcore.signal.measurements import measure
from ecgcore.signal.simulator import PRESETS, Simulated, SimulationOptions, simulate

LIMITS_MS: Mapping[str, float] = {"p_ms": 10, "pr_ms": 10, "qrs_ms": 6, "qt_ms": 12}
"""Of the mean difference from the truth, for analytical and calibration ECGs."""
CLEAN = "clean"
DISTURBANCES: Mapping[str, Mapping[str, float]] = {
    CLEAN: {},
    "noise": {"muscle_uv": 25.0},
    "mains": {"mains_uv": 50.0, "mains_hz": 50.0},
    "wander": {"wander_mv": 1.0, "wander_hz": 0.3},
    "all": {
        "muscle_uv": 25.0,
        "mains_uv": 50.0,
        "mains_hz": 50.0,
        "wander_mv": 1.0,
        "wander_hz": 0.3,
    },
}


@dataclass(frozen=True)
class Measured:
    """One interval of one recording; ``error_ms`` None where it was rightly or wrongly refused."""

    preset: str
    rate: float
    disturbance: str
    interval: str
    error_ms: float | None
    passed: bool
    note: str


def measured(name: str, rate: float, disturbance: str, method: str) -> list[Measured]:
    """The four intervals of one preset under one disturbance."""
    options = disturbed(replace(PRESETS[name], sampling_rate=rate), disturbance)
    simulated = simulate(options, name)
    values = measure(simulated.recording, marked(simulated, method)).overall
    rows = []
    for interval, limit in LIMITS_MS.items():
        found, truth = values[interval].number, true_interval(options, interval)
        if found is None or truth is None:
            passed = found is None and truth is None
            note = f"measured {'nothing' if found is None else f'{found:.1f} ms'}, "
            note += f"true {'none' if truth is None else f'{truth:.0f} ms'}"
            if values[interval].reason:
                note += f" ({values[interval].reason})"
            rows.append(Measured(name, rate, disturbance, interval, None, passed, note))
            continue
        error = found - truth
        passed = abs(error) <= limit
        note = f"measured {found:.1f}, true {truth:.0f}, limit {limit:g} ms"
        rows.append(Measured(name, rate, disturbance, interval, error, passed, note))
    return rows


def marked(simulated: Simulated, method: str) -> Delineation:
    """The marks of a method, or the true ones."""
    if method == "truth":
        return simulated.truth
    return delineate(simulated.recording, method)  # type: ignore[arg-type]


def disturbed(options: SimulationOptions, disturbance: str) -> SimulationOptions:
    """The same heart with a disturbance."""
    return replace(options, **DISTURBANCES[disturbance])  # type: ignore[arg-type]


def true_interval(options: SimulationOptions, interval: str) -> float | None:
    """In ms; None where there is no P wave to begin with."""
    if interval in ("p_ms", "pr_ms") and not options.has_p:
        return None
    return float(getattr(options, interval))


def print_table(rows: list[Measured], rates: list[float]) -> None:
    """A row an interval, rate and disturbance over all presets."""
    print(
        f"{'interval':9}{'Hz':>6} {'disturbance':12}{'n':>4}{'mean':>8}{'SD':>7}{'worst':>8}",
        end="",
    )
    print(f"{'within':>9}  limit (ms)")
    for interval, limit in LIMITS_MS.items():
        for rate in rates:
            for disturbance in DISTURBANCES:
                part = [
                    row
                    for row in rows
                    if (row.interval, row.rate, row.disturbance) == (interval, rate, disturbance)
                ]
                errors = [row.error_ms for row in part if row.error_ms is not None]
                if errors:
                    figures = f"{mean(errors):8.1f}{pstdev(errors):7.1f}{max(errors, key=abs):8.1f}"
                else:
                    figures = f"{'-':>8}{'-':>7}{'-':>8}"
                within = f"{sum(row.passed for row in part)}/{len(part)}"
                print(f"{interval:9}{rate:6g} {disturbance:12}{len(errors):4}{figures}", end="")
                print(f"{within:>9}  {limit:g}")


def main() -> int:
    """Measure, print, and say whether all is within limits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--method", choices=(*METHODS, "truth"), default="network")
    parser.add_argument("--rates", type=float, nargs="+", default=[250.0, 500.0, 1000.0])
    parser.add_argument("--presets", nargs="+", choices=tuple(PRESETS), default=list(PRESETS))
    parser.add_argument("--all-rows", action="store_true", help="print every single value")
    given = parser.parse_args()
    rows = [
        row
        for name in given.presets
        for rate in given.rates
        for disturbance in DISTURBANCES
        for row in measured(name, rate, disturbance, given.method)
    ]
    print_table(rows, given.rates)
    for row in rows:
        if given.all_rows or not row.passed:
            verdict = "ok  " if row.passed else "FAIL"
            print(
                f"{verdict} {row.interval:7}{row.rate:6g} Hz {row.disturbance:8}{row.preset}: ",
                end="",
            )
            print(row.note)
    failed = sum(not row.passed for row in rows)
    by_standard = sum(not row.passed for row in rows if row.disturbance != "all")
    print(
        f"{len(rows) - failed} of {len(rows)} within limits; of the {failed} that are not, ", end=""
    )
    print(f"{by_standard} are under the standard's own disturbances")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
