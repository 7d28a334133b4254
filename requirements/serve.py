"""The lock of the container's image: of the whole lock, the packages that the image's extras need.

    make lock      # writes requirements/serve.lock, once everything of requirements/run.lock is installed

Every entry is the whole lock's own, with all its hashes, so that the image and a development machine have the same
versions.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HERE = Path(__file__).parent
EXTRAS = ("monitor", "azure", "postgres", "documents")
"""Of which the image is made; as docs/azure.md says."""


def blocks(lock: Path) -> dict[str, str]:
    """The entries of a lock file, by package; a package has one for each range of Pythons."""
    found: dict[str, str] = {}
    for block in filter(None, re.split(r"(?m)^(?=[a-z0-9])", lock.read_text("utf-8"))):
        name = block.partition("==")[0]
        found[name] = found.get(name, "") + block
    return found


def needed() -> Iterator[str]:
    """The packages that the image needs, by what the installed ones say that they need themselves.

    Raises
    ------
    PackageNotFoundError
        Not everything is installed.
    """
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text("utf-8"))["project"]
    waiting = [Requirement(one) for one in project["dependencies"]]
    extras, seen = list(EXTRAS), set()
    while extras:
        for one in map(Requirement, project["optional-dependencies"][extras.pop()]):
            if one.name == "driftgate":
                extras += one.extras
            else:
                waiting.append(one)
    while waiting:
        one = waiting.pop()
        key = (canonicalize_name(one.name), frozenset(one.extras))
        if key in seen:
            continue
        seen.add(key)
        yield key[0]
        for line in requires(one.name) or []:
            below = Requirement(line)
            if below.marker is None or any(below.marker.evaluate({"extra": extra}) for extra in ("", *one.extras)):
                waiting.append(below)


def main() -> None:
    """Write the lock."""
    whole = blocks(HERE / "run.lock")
    (HERE / "serve.lock").write_text("".join(whole[name] for name in sorted(set(needed()))), "utf-8")


if __name__ == "__main__":
    main()
