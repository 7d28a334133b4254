"""Which tests `make test` leaves to `make test-all`: those that ``slow_tests.txt`` names, each measured as slow.

    make test-all PYTEST_ADDOPTS="--junit-xml build/tests.xml"; python tests/support/slow_tests.py build/tests.xml

writes the list anew; without a report what is no longer there is taken out of it. A test that is not on it is quick
until it is measured; one marked ``core`` runs always.
"""

from __future__ import annotations

import ast
import re
import sys
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIST = ROOT / "tests" / "slow_tests.txt"
MEAN_SECONDS = 0.6
"""A function whose cases take longer than this on average is slow."""
SUM_SECONDS = 6.0
"""So is one whose cases take longer than this together."""
_HEAD = "# Written by tests/support/slow_tests.py: what make test leaves to make test-all.\n"


def slow_tests(text: str) -> Mapping[str, frozenset[str]]:
    """Names of slow test functions by file, relative to the repository, of the list's text."""
    lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return {file: frozenset(names) for file, *names in lines}


def mark_slow(items: Iterable[pytest.Item]) -> None:
    """Mark as ``slow`` what is on the list and is not ``core``."""
    listed = slow_tests(LIST.read_text(encoding="utf-8"))
    for item in items:
        if not item.path.is_relative_to(ROOT) or not isinstance(item, pytest.Function):
            continue
        names = listed.get(item.path.relative_to(ROOT).as_posix(), ())
        if item.originalname in names and item.get_closest_marker("core") is None:
            item.add_marker("slow")


def measured(junit: Path) -> Mapping[str, frozenset[str]]:
    """The same of a report of pytest's, by how long the cases of each function took."""
    seconds: dict[tuple[str, str], list[float]] = defaultdict(list)
    for case in ElementTree.parse(junit).iter("testcase"):
        function = re.sub(r"\[.*", "", str(case.get("name")), flags=re.DOTALL)
        seconds[str(case.get("classname")), function].append(float(case.get("time", 0)))
    found: dict[str, set[str]] = defaultdict(set)
    for (module, function), taken in seconds.items():
        slow = sum(taken) > MEAN_SECONDS * len(taken) or sum(taken) > SUM_SECONDS
        if module.startswith("tests.") and slow:
            found[module.replace(".", "/") + ".py"].add(function)
    return {file: frozenset(names) for file, names in found.items()}


def gone(listed: Mapping[str, frozenset[str]]) -> Mapping[str, frozenset[str]]:
    """What is on the list and is no test any more."""
    return {file: missing for file, names in listed.items() if (missing := names - _functions(ROOT / file))}


def _functions(file: Path) -> set[str]:
    if not file.exists():
        return set()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def write(found: Mapping[str, frozenset[str]]) -> None:
    """Write the list, a line a file."""
    LIST.write_text(_HEAD + "".join(f"{file} {' '.join(sorted(found[file]))}\n" for file in sorted(found)), "utf-8")


if __name__ == "__main__":
    if sys.argv[1:]:
        write(measured(Path(sys.argv[1])))
    else:
        old = slow_tests(LIST.read_text(encoding="utf-8"))
        missing = gone(old)
        kept = {file: names - missing.get(file, frozenset()) for file, names in old.items()}
        write({file: names for file, names in kept.items() if names})
