"""``driftgate init`` and the workspace that ships, of which the repository is the checkout."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml
from command_line import Cli

from driftgate.api._init import scaffold
from driftgate.api.workspace import json_schema, open_workspace
from driftgate.flows.errors import DriftgateError
from driftgate.shipped import FOLDERS, reference_workspace

PROJECT = Path(__file__).parents[2]


def files_of(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in folder.rglob("*") if path.is_file()
    }


def test_the_project_is_the_workspace_that_ships() -> None:
    assert reference_workspace() == PROJECT
    config = open_workspace(PROJECT).config
    assert config.nightly.suites and config.nightly.gates and config.nightly.monitors


def test_a_new_workspace_is_the_one_that_ships(tmp_path: Path) -> None:
    scaffold(tmp_path)
    assert open_workspace(tmp_path).config == open_workspace(PROJECT).config
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == set(FOLDERS)


def test_every_file_of_it_names_the_schema_that_it_follows(tmp_path: Path) -> None:
    scaffold(tmp_path)
    described = list(tmp_path.rglob("*.yaml"))
    assert len(described) >= 6
    for path in described:
        first, _, text = path.read_text("utf-8").partition("\n")
        schema = json.loads((path.parent / first.partition("$schema=")[2]).read_text("utf-8"))
        assert schema == json_schema()
        if (value := yaml.safe_load(text)) is not None:
            jsonschema.validate(value, schema)


@pytest.mark.parametrize(
    ("file", "section", "names"),
    [
        ("finetune/recipes.yaml", "recipes", {"assistant"}),
        ("driftgate.yaml", "models", {"gemma-270m", "gpt-5-mini", "phi-3-5-moe"}),
        ("benchmarks/datasets.yaml", "datasets", {"sample", "kmmlu", "click", "ours"}),
    ],
)
def test_what_is_commented_out_is_valid_once_it_is_not(
    tmp_path: Path, file: str, section: str, names: set[str]
) -> None:
    scaffold(tmp_path)
    path = tmp_path / file
    first, *lines = path.read_text("utf-8").splitlines()
    entries = [re.sub(r"^( *)# ?((?: *- )? *[\w.-]+:)", r"\1\2", line) for line in lines]  # sentences stay comments
    assert entries != lines
    path.write_text("\n".join([first, *entries]), "utf-8")
    assert set(getattr(open_workspace(tmp_path).config, section)) == names


@pytest.mark.parametrize("there", ["driftgate.yaml", "benchmarks/suites.yaml", "monitor/monitors.yaml"])
def test_nothing_is_written_where_one_of_its_files_is_already(tmp_path: Path, there: str) -> None:
    (tmp_path / there).parent.mkdir(exist_ok=True)
    (tmp_path / there).write_text("mine", "utf-8")
    with pytest.raises(DriftgateError, match=f"{there} is already there"):
        scaffold(tmp_path)
    assert files_of(tmp_path) == {there: "mine"}


def test_what_a_folder_has_beside_it_stays(tmp_path: Path) -> None:
    mine = {"flows/README.md": "ours", "data/x.csv": "a", ".gitignore": "*.log\nreports/"}
    for name, text in mine.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    scaffold(tmp_path)
    files = files_of(tmp_path)
    assert {name: files[name] for name in list(mine)[:2]} == {"flows/README.md": "ours", "data/x.csv": "a"}
    assert files[".gitignore"].split() == ["*.log", "reports/", ".driftgate/"]


def test_it_says_what_it_made(cli: Cli, tmp_path: Path) -> None:
    done = cli("init", tmp_path / "new")
    assert done.code == 0
    for name in ("driftgate.yaml", "driftgate.schema.json", "benchmarks/gates.yaml", "flows/README.md"):
        assert f"new/{name}" in done.out
    assert "1 suites" in cli("doctor", "-w", tmp_path / "new").out


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_make_runs_the_project_itself_and_cleans_only_what_was_made() -> None:
    def would(*arguments: str) -> str:
        return subprocess.run(
            ["make", "-n", *arguments], cwd=PROJECT, capture_output=True, text=True, check=True
        ).stdout

    assert "driftgate nightly --workspace .\n" in would("nightly")
    assert "driftgate init elsewhere\n" in would("nightly", "WORKSPACE=elsewhere")
    removed = would("clean").split()
    assert {"./.driftgate", "./reports"} <= set(removed)
    assert not {".", "./", ".-loop"} & set(removed)
