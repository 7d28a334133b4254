"""Check the claim that Phi-3.5-MoE is ahead of GPT-3.5-Turbo on four Korean benchmarks; see docs/claim.md.

Run from the project's root, with the recorded runs and the questions of KMMLU and CLIcK at ``../shared/data``::

    python -m benchmarks.perf.claim                      # --data FOLDER where they lie elsewhere

It imports the eight recorded files into a workspace of its own, compares the two models and prints, for each benchmark,
the difference with its interval and p, and in how many categories the claim's model is lower. No model is asked.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

MODEL, OTHER = "phi-3-5-moe-instruct", "gpt-35-turbo-230613"
LEVEL = 0.05
NAMES = {"click": "CLIcK", "haerae": "HAE-RAE Bench", "kmmlu": "KMMLU", "kmmlu_hard": "KMMLU-HARD"}


@dataclass(frozen=True)
class Finding:
    """What the two models' difference on one benchmark is."""

    benchmark: str
    score: float
    other: float
    points: float
    low: float
    high: float
    p: float
    """By Holm over the benchmarks."""
    categories: int
    lower: tuple[str, ...]
    """Categories in which the claim's model has the lower score."""
    surely_lower: tuple[str, ...]
    """Those of them whose p, by Benjamini and Hochberg within the benchmark, is at most :data:`LEVEL`."""

    @property
    def ahead(self) -> bool:
        """Whether the claim holds for the benchmark's overall score."""
        return self.low > 0 and self.p <= LEVEL


def main() -> None:
    """Print what the recorded files show of the claim."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--data", type=Path, default=Path("../shared/data"), help="folder with recorded, kmmlu and click"
    )
    options = parser.parse_args()
    data = options.data.resolve()
    files = [path for model in (MODEL, OTHER) for path in sorted((data / "recorded").glob(f"?*? {model}.csv"))]
    if len(files) != 2 * len(NAMES):
        parser.error(f"found {len(files)} of {2 * len(NAMES)} files '[BENCHMARK] MODEL.csv' in {data / 'recorded'}")
    with tempfile.TemporaryDirectory() as folder:
        print(told(findings(compare(Path(folder), data, files))))


def compare(folder: Path, data: Path, files: Sequence[Path]) -> pd.DataFrame:
    """Import the files into a workspace at `folder`, compare the models, and read the differences back."""
    datasets = {name: {"kind": name, "path": str(data / name)} for name in ("kmmlu", "click")}
    workspace = {"version": 1, "allowed_roots": [str(data)], "datasets": datasets}
    (folder / "driftgate.yaml").write_text(json.dumps(workspace), encoding="utf-8")
    driftgate = [sys.executable, "-m", "driftgate"]
    steps = (
        ["runs", "import", *map(str, files)],
        ["compare", "--models", f"{OTHER},{MODEL}", "--csv", str(folder / "csv")],
    )
    for step in steps:
        done = subprocess.run([*driftgate, *step, "--workspace", str(folder)], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
    return pd.read_csv(folder / "csv" / "differences.csv", keep_default_na=False, na_values={"p": "", "p_adjusted": ""})


def findings(differences: pd.DataFrame) -> list[Finding]:
    """One finding for each benchmark, from the rows of ``compare --csv``."""
    found = []
    for benchmark, rows in differences.groupby("dataset", sort=True):
        overall = rows[rows.slice_kind == "all"].iloc[0]
        categories = rows[rows.slice_kind == "category"]
        lower = categories[categories.difference.astype(float) < 0]
        found.append(
            Finding(
                benchmark=str(benchmark),
                score=100 * float(overall.candidate_score),
                other=100 * float(overall.reference_score),
                points=100 * float(overall.difference),
                low=100 * float(overall.difference_low),
                high=100 * float(overall.difference_high),
                p=float(overall.p_adjusted),
                categories=len(categories),
                lower=tuple(lower.slice),
                surely_lower=tuple(lower[lower.p_adjusted <= LEVEL].slice),
            )
        )
    return found


def told(found: Iterable[Finding]) -> str:
    """The findings as a table and the sentences that sum them up, as Markdown."""
    found = list(found)
    lines = [
        "| benchmark | Phi-3.5-MoE | GPT-3.5-Turbo | points | 95% interval | p (Holm) | lower in | significantly |",
        "|---|--:|--:|--:|---|--:|--:|---|",
    ]
    for f in found:
        sure = f"{len(f.surely_lower)}: {', '.join(f.surely_lower)}" if f.surely_lower else "none"
        lines.append(
            f"| {NAMES.get(f.benchmark, f.benchmark)} | {f.score:.2f}% | {f.other:.2f}% | {f.points:+.2f} "
            f"| {f.low:+.2f} to {f.high:+.2f} | {f.p:.0e} | {len(f.lower)} of {f.categories} categories | {sure} |"
        )
    ahead, lower = sum(f.ahead for f in found), sum(len(f.lower) for f in found)
    categories, surely = sum(f.categories for f in found), sum(len(f.surely_lower) for f in found)
    lines += [
        "",
        f"Overall scores: Phi-3.5-MoE is ahead on {ahead} of {len(found)}, each with p at most {LEVEL}."
        if ahead == len(found)
        else f"Overall scores: Phi-3.5-MoE is ahead on {ahead} of {len(found)} with p at most {LEVEL}.",
        f"Categories: it is lower in {lower} of {categories}, {surely} of them significantly.",
        f'"On all metrics" holds for {_for_what(ahead == len(found), lower)}.',
    ]
    return "\n".join(lines)


def _for_what(overall: bool, lower: int) -> str:
    if not overall:
        return "neither the overall scores nor the categories"
    return "the overall scores only" if lower else "the overall scores and every category"


if __name__ == "__main__":
    main()
