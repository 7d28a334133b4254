"""What driftgate brings along: a bill of materials and a list of licences, from the lock file.

    make sbom      # writes build/sbom.cdx.json (CycloneDX 1.6) and build/licences.csv

The lock says which packages there are, in which versions and with which hashes; their own metadata, where they are
installed, says under which licence they come. Nothing is asked of the network, and the same lock gives the same files.

References
----------
.. [1] CycloneDX 1.6, JSON: https://cyclonedx.org/docs/1.6/json/
.. [2] Package URL, type pypi: https://github.com/package-url/purl-spec
"""

from __future__ import annotations

import csv
import json
import re
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LOCKS = (HERE / "run.lock", HERE.parent / "finetune" / "requirements.txt")
UNSTATED = "not stated"
NOT_HERE = "not installed here"
_PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)(?: *;([^\\]*))?")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True)
class Package:
    """A package of a lock file."""

    name: str
    version: str
    marker: str
    """Where it is installed; empty: everywhere."""
    hashes: tuple[str, ...]
    """SHA-256 of each of its files."""
    lock: str

    @property
    def purl(self) -> str:
        """Its package URL."""
        return f"pkg:pypi/{re.sub(r'[-_.]+', '-', self.name).lower()}@{self.version}"

    @property
    def licence(self) -> str:
        """What its own metadata says: an SPDX expression, else its classifiers, else the first line of its text."""
        try:
            said: Any = metadata(self.name)
        except PackageNotFoundError:
            return NOT_HERE
        named = [one.rsplit(" :: ", 1)[-1] for one in said.get_all("Classifier") or [] if one.startswith("License ::")]
        text = (said.get("License") or "").strip().splitlines()
        return said.get("License-Expression") or "; ".join(named) or (text[0][:80] if text else UNSTATED)


def locked(file: Path) -> Iterator[Package]:
    """The packages of a lock file."""
    text = file.read_text(encoding="utf-8").replace("\\\n", " ")  # hashes stand on continued lines
    for line in text.splitlines():
        if found := _PINNED.match(line):
            yield Package(found[1], found[2], (found[3] or "").strip(), tuple(_HASH.findall(line)), file.name)


def bill(packages: list[Package], content: str) -> dict[str, Any]:
    """The packages as CycloneDX."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, content)}",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "driftgate", "bom-ref": "driftgate"}},
        "components": [_component(one) for one in packages],
    }


def _component(package: Package) -> dict[str, Any]:
    licence = package.licence
    about = {"driftgate:lock": package.lock, "driftgate:marker": package.marker}
    return {
        "type": "library",
        "bom-ref": package.purl,
        "name": package.name,
        "version": package.version,
        "purl": package.purl,
        "licenses": [] if licence in (UNSTATED, NOT_HERE) else [{"license": {"name": licence}}],
        "properties": [{"name": name, "value": value} for name, value in about.items() if value]
        + [{"name": "driftgate:sha256", "value": one} for one in package.hashes],
    }


def main(folder: Path) -> None:
    """Write both files."""
    packages = [one for lock in LOCKS for one in locked(lock)]
    folder.mkdir(parents=True, exist_ok=True)
    content = "".join(lock.read_text(encoding="utf-8") for lock in LOCKS)
    written = json.dumps(bill(packages, content), ensure_ascii=False, indent=1)
    (folder / "sbom.cdx.json").write_text(f"{written}\n", encoding="utf-8")
    with (folder / "licences.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["package", "version", "licence", "lock"])
        rows.writerows([one.name, one.version, one.licence, one.lock] for one in packages)
    print(f"{len(packages)} packages: {folder / 'sbom.cdx.json'}, {folder / 'licences.csv'}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "build"))
