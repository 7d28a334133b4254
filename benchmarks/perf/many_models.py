"""Measure ``driftgate compare`` of 22 models on four datasets: processor time, peak memory, page and terminal.

The five recorded models of the shared folder, and seventeen made from them: of each a seeded share of the answers is
drawn anew from the letters, which moves its quality down by what it knew of those. All are imported as anybody's
recorded answers are (``driftgate runs import``), once; the workspace is kept and used again. Run it from the project's
root:

    python -m benchmarks.perf.many_models --workspace FOLDER [--recorded ../shared/data]

It prints the figures of all 22 models, and of the recorded five alone, beside their limits, and ends with 1 where one
is passed.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SECONDS, MEGABYTES, PAGE_MEGABYTES = 20.0, 500.0, 3.0
"""The limits: of processor time, of memory, and of the page."""
DATASETS = ("click", "haerae", "kmmlu", "kmmlu_hard")
SHARES = (0.01, 0.04, 0.1, 0.25)
"""Of each recorded model's answers so many are drawn anew, in further models; the last recorded one has one more."""
MODELS = 22
LAUNCH = [sys.executable, "-m", "driftgate"]


@dataclass(frozen=True)
class Measured:
    """What one command took."""

    seconds: float
    megabytes: float
    output: str


def measured(arguments: Sequence[str], folder: Path) -> Measured:
    """Run a command of driftgate to its end, alone, and say what its process took.

    Raises
    ------
    RuntimeError
        It did not end well.
    """
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [*LAUNCH, *arguments],
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | {"COLUMNS": "200"},
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode()
    if process.returncode:
        raise RuntimeError(f"driftgate {' '.join(arguments)} ended with {process.returncode}:\n{text}")
    return Measured(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text)


def derive(source: Path, target: Path, share: float, seed: int) -> None:
    """A copy of a recorded file with a share of its predictions drawn anew."""
    drawn = random.Random(seed)
    with source.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        rows, columns = list(reader), list(reader.fieldnames or ())
    letters = sorted({row["answer"] for row in rows})
    for row in rows:
        if drawn.random() < share:
            row["pred"] = row["response"] = drawn.choice(letters[:4])
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def derived_files(recorded: Path, folder: Path) -> list[Path]:
    """Files of further models, until there are as many as are wanted, named as the recorded ones are."""
    files: dict[str, dict[str, Path]] = {}
    for path in sorted(recorded.glob("*.csv")):
        named = re.fullmatch(r"(\[[^]]+\]) (.+?)(-0shot)?\.csv", path.name)
        assert named is not None, path.name
        files.setdefault(named[2], {})[named[1]] = path
    # The rarest shares first, so that seventeen are spread over all five models.
    wanted = [(share, model) for share in SHARES for model in files][: MODELS - len(files)]
    made = []
    for number, (share, model) in enumerate(wanted):
        for place, (benchmark, path) in enumerate(files[model].items()):
            shots = "-0shot" if path.stem.endswith("-0shot") else ""
            target = folder / f"{benchmark} {model}-redrawn-{100 * share:02.0f}{shots}.csv"
            derive(path, target, share, seed=100 * number + place)
            made.append(target)
    return made


def make_workspace(folder: Path, data: Path) -> None:
    """A workspace with the recorded and the made models; what is there already stays as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    datasets = {name: {"kind": name, "path": str((data / name).resolve())} for name in ("kmmlu", "click")}
    workspace = {"version": 1, "allowed_roots": [str(data.resolve())], "datasets": datasets}
    (folder / "driftgate.yaml").write_text(json.dumps(workspace), encoding="utf-8")
    made = folder / "made"
    made.mkdir(exist_ok=True)
    derived_files(data / "recorded", made)
    began = time.monotonic()
    for source in (data / "recorded", made):
        measured(["runs", "import", str(source.resolve())], folder)
    print(f"imported in {time.monotonic() - began:.0f} s")


@dataclass(frozen=True)
class Compared:
    """What a comparison took, and what it wrote."""

    models: int
    command: Measured
    page_megabytes: float
    tables: int

    @property
    def within(self) -> bool:
        """Whether it kept to the limits."""
        took = self.command
        return took.seconds <= SECONDS and took.megabytes <= MEGABYTES and self.page_megabytes <= PAGE_MEGABYTES

    def __str__(self) -> str:
        return (
            f"{self.models} models, {len(DATASETS)} datasets: {self.command.seconds:.1f} s of processor time (at most "
            f"{SECONDS:.0f}), {self.command.megabytes:,.0f} MB at the peak (at most {MEGABYTES:.0f}), a page of "
            f"{self.page_megabytes:.2f} MB (at most {PAGE_MEGABYTES:.0f}) and {self.tables} tables, "
            f"{self.command.output.count(chr(10)):,} lines of terminal"
        )


def compare(workspace: Path, which: str) -> Compared:
    """Compare ``all`` models of a workspace that was made here, or the ``recorded`` ones, on all datasets."""
    page = workspace.resolve() / f"{which}.html"
    made = {path.name for path in (workspace / "made").glob("[[]KMMLU] *.csv")}
    models = sorted(
        named[1] for name in made if (named := re.fullmatch(r"\[KMMLU\] (.+)-redrawn-01(-0shot)?\.csv", name))
    )
    chosen = ["--models", ",".join(models)] if which == "recorded" else []
    command = measured(["compare", *chosen, "--datasets", ",".join(DATASETS), "--html", str(page)], workspace)
    text = page.read_text(encoding="utf-8")
    return Compared(len(models) if chosen else MODELS, command, len(text.encode()) / 1e6, text.count("<table"))


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the comparison of 22 models on four datasets.")
    parser.add_argument("--workspace", type=Path, required=True, help="made where it is not there, and kept")
    parser.add_argument("--recorded", type=Path, default=Path("../shared/data"), help="recorded/, kmmlu/ and click/")
    given = parser.parse_args()
    if not (given.workspace / ".driftgate" / "ledger.db").exists():
        make_workspace(given.workspace, given.recorded)
    compared = [compare(given.workspace, name) for name in ("all", "recorded")]
    for one in compared:
        print(one)
    return 0 if all(one.within for one in compared) else 1


if __name__ == "__main__":
    raise SystemExit(main())
