"""The figures that README.md and the pages of docs/ state, from one file.

Run from the project's root::

    python -m benchmarks.perf.figures                                 # write docs/figures.yaml into the pages
    python -m benchmarks.perf.figures --measure retrieval_terms       # measure anew first, by the command of the entry
    python -m benchmarks.perf.figures --measure startup --machine "two cores, nothing else running"
    python -m benchmarks.perf.figures --measure                       # all that patterns can read: hours

``docs/figures.yaml`` holds each measurement once: its command, the data and where they are to be had, date, machine and
commit, and its figures. A figure stands in a page between two comments, which rendered Markdown does not show::

    <!-- figure throughput.rate -->2,083<!-- end -->

A figure is a ``value``, with the pattern (``read``) whose group finds it in what the command prints, or a ``text`` with
the names of others in braces. ``measured`` stands for the table of all measurements that have a ``row``, and
``data`` for where their data are to be had.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

from driftgate.flows.errors import DriftgateError
from driftgate.flows.yaml_text import parse

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docs/figures.yaml"
MARK = re.compile(r"<!-- figure ([\w.]+) -->(.*?)<!-- end -->", re.DOTALL)
_NAME = re.compile(r"\{([\w.]+)\}")
_HEADER = (
    "# Every figure of README.md and docs/: python -m benchmarks.perf.figures writes them there, --measure anew.\n"
)


class Figure(BaseModel):
    """One figure, or a table or sentence of figures."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: str = ""
    """As it stands in the pages."""
    read: str = ""
    """The pattern whose first group is the value in what the command prints; empty: read by a person."""
    text: str = ""
    """In the place of a value: a text with names of other figures in braces."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Figure:
        if bool(self.value) == bool(self.text) or (self.read and self.text):
            raise ValueError("a figure has a value, which read may find, or a text")
        return self


class Measurement(BaseModel):
    """What one command measured."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    command: str
    data: list[str]
    """Names of the file's ``data``."""
    date: str
    machine: str
    commit: str
    row: list[str] = []
    """What it is and what was found, for the table of README.md."""
    figures: dict[str, Figure] = {}

    @property
    def measurable(self) -> bool:
        """Whether every figure can be read from what the command prints."""
        found = self.figures.values()
        return any(figure.read for figure in found) and all(figure.read or figure.text for figure in found)


class Figures(BaseModel):
    """The file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: dict[str, str]
    """Where data are to be had, by name."""
    measured: dict[str, Measurement]

    def text(self, name: str) -> str:
        """What stands in a page for ``MEASUREMENT.FIGURE``, ``measured`` or ``data``.

        Raises
        ------
        DriftgateError
            There is no such figure.
        """
        if name == "measured":
            return self._rows()
        if name == "data":
            return "; ".join(f"*{name}*: {where}" for name, where in self.data.items())
        of, _, one = name.partition(".")
        if of not in self.measured or one not in self.measured[of].figures:
            raise DriftgateError(f"there is no figure '{name}'", f"add it to {FILE.name}, or correct the page")
        figure = self.measured[of].figures[one]
        return self._filled(of, figure.text) if figure.text else figure.value

    def _filled(self, of: str, text: str) -> str:
        return _NAME.sub(lambda found: self.text(found[1] if "." in found[1] else f"{of}.{found[1]}"), text)

    def _rows(self) -> str:
        lines = ["| what | figure | data |", "|---|---|---|"]
        for name, found in self.measured.items():
            if found.row:
                what, text = (self._filled(name, part) for part in found.row)
                lines.append(f"| {what} | {text} | {', '.join(found.data)} |")
        return "\n".join(lines)

    def names(self) -> set[str]:
        """Every figure's name."""
        return {f"{of}.{one}" for of, found in self.measured.items() for one in found.figures}

    def used_by(self, text: str, of: str = "") -> set[str]:
        """The figures that a text states, those within their texts and rows included."""
        if of:
            names = {found if "." in found else f"{of}.{found}" for found in _NAME.findall(text)}
        else:
            names = {found[0] for found in MARK.findall(text)}
        below: set[str] = set()
        for name in names & self.names():
            which, _, one = name.partition(".")
            below |= self.used_by(self.measured[which].figures[one].text, which)
        if "measured" in names:
            for which, found in self.measured.items():
                below |= self.used_by(" ".join(found.row), which)
        return names | below


def load(path: Path = FILE) -> Figures:
    """Read the file.

    Raises
    ------
    DriftgateError
        It is not YAML.
    pydantic.ValidationError
        It is not what it should be.
    """
    return Figures.model_validate(parse(path.read_text(encoding="utf-8"), path.name)[1])


def dumped(figures: Figures) -> str:
    """The file's text."""
    content = figures.model_dump(exclude_defaults=True)
    return _HEADER + yaml.dump(content, Dumper=_Plain, allow_unicode=True, sort_keys=False, width=120)


class _Plain(yaml.SafeDumper):
    """Writes tables as blocks."""


def _text(dumper: _Plain, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Plain.add_representer(str, _text)


def rendered(page: str, figures: Figures) -> str:
    """A page with the figures of the file; one of several lines stands in lines of its own.

    Raises
    ------
    DriftgateError
        The page names a figure that there is not.
    """

    def between(found: re.Match[str]) -> str:
        text = figures.text(found[1]).rstrip("\n")
        text = f"\n{text}\n" if "\n" in text else text
        return f"<!-- figure {found[1]} -->{text}<!-- end -->"

    return MARK.sub(between, page)


def pages() -> list[Path]:
    """README.md and the pages of docs/."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def measure(entry: Measurement, output: str, on: Mapping[str, str]) -> Measurement:
    """An entry with the figures that its command printed, and when and where.

    Raises
    ------
    DriftgateError
        A figure has no pattern, or its pattern finds nothing.
    """
    found: dict[str, Figure] = {}
    for name, figure in entry.figures.items():
        if figure.text:
            found[name] = figure
            continue
        if not figure.read:
            raise DriftgateError(f"the figure '{name}' has no pattern", "run the command, and write the figure by hand")
        match = re.search(figure.read, output, re.MULTILINE | re.DOTALL)
        if match is None:
            raise DriftgateError(f"the command prints nothing that is '{name}'", f"correct its pattern: {figure.read}")
        found[name] = figure.model_copy(update={"value": match[1].strip("\n")})
    return entry.model_copy(update={**on, "figures": found})


def run(entry: Measurement) -> str:
    """What the entry's command prints.

    Raises
    ------
    DriftgateError
        It fails.
    """
    words = [sys.executable if word == "python" else word for word in shlex.split(entry.command)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode:
        raise DriftgateError(
            f"'{entry.command}' ended with {done.returncode}", done.stderr[-2000:] or done.stdout[-2000:]
        )
    return done.stdout


def _here(machine: str | None) -> dict[str, str]:
    load_average = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "not known"
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    return {
        "date": date.today().isoformat(),
        "machine": machine or f"{os.cpu_count()} processors, load average {load_average}",
        "commit": commit.stdout.strip() or "not known",
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is asked for, and write the pages; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--measure", nargs="*", metavar="ID", help="run these commands, or all whose figures are read by patterns"
    )
    parser.add_argument("--machine", help="the machine in words; by default its processors and load")
    given = parser.parse_args(arguments)
    figures = load()
    every = [name for name, entry in figures.measured.items() if entry.measurable]
    chosen = every if given.measure == [] else given.measure or []
    if unknown := sorted(set(chosen) - set(figures.measured)):
        parser.error(f"no measurement {', '.join(unknown)}; there are {', '.join(figures.measured)}")
    try:
        for name in chosen:
            entry = figures.measured[name]
            anew: dict[str, Any] = {name: measure(entry, run(entry), _here(given.machine))}
            figures = figures.model_copy(update={"measured": figures.measured | anew})
            FILE.write_text(dumped(figures), encoding="utf-8")
        if given.measure == []:
            left = [name for name, entry in figures.measured.items() if not entry.measurable]
            print(f"left as they are, as a person reads what their commands print: {', '.join(left)}")
        for page in pages():
            before = page.read_text(encoding="utf-8")
            if (after := rendered(before, figures)) != before:
                page.write_text(after, encoding="utf-8")
                print(f"{page.name}: written")
    except DriftgateError as problem:
        print(f"{problem.message}\n  {problem.remedy}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
