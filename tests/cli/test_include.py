"""``include`` in ``driftgate.yaml``: several files, one workspace, and every complaint with its file and line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from unicodedata import normalize

import jsonschema
import pytest
import yaml
from command_line import Cli, Make

from driftgate.api.workspace import OpenWorkspace, json_schema, open_workspace
from driftgate.flows.errors import DriftgateError

ROOT = """\
version: 1
name: team
include:
  - benchmarks/*.yaml
  - monitor/monitors.yaml
models:
  small:
    provider: openai
    endpoint: http://127.0.0.1:8000/v1
    model: gpt-test
"""
FILES = {
    "benchmarks/datasets.yaml": "# what is asked\ndatasets:\n  own: {kind: csv, path: data/own.csv}\n",
    "benchmarks/suites.yaml": "suites:\n  nightly:\n    models: [small]\n    datasets: [own]\n",
    "benchmarks/gates.yaml": "gates:\n  nightly:\n    suite: nightly\n    rules:\n"
    "      - {metric: accuracy, min: 0.25}\nnightly:\n  suites: [nightly]\n",
    "monitor/monitors.yaml": "champions: {slot: small}\nmonitors:\n  slot:\n    champion: slot\n"
    "    canaries: {dataset: own}\n",
}


def opened(folder: Path, root: str = ROOT, files: Mapping[str, str] = FILES) -> OpenWorkspace:
    for path, text in {"driftgate.yaml": root, **files}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return open_workspace(folder)


def test_what_several_files_hold_is_one_workspace(tmp_path: Path) -> None:
    config = opened(tmp_path).config
    assert (list(config.models), list(config.datasets), list(config.suites)) == (["small"], ["own"], ["nightly"])
    assert (list(config.gates), list(config.monitors), config.nightly.suites) == (["nightly"], ["slot"], ["nightly"])


def test_it_is_what_one_file_would_be(tmp_path: Path) -> None:
    parts = opened(tmp_path / "parts").config
    text = ROOT.replace("include:\n  - benchmarks/*.yaml\n  - monitor/monitors.yaml\n", "") + "".join(FILES.values())
    whole = opened(tmp_path / "whole", text, {}).config
    assert parts.model_copy(update={"include": []}) == whole


def test_sections_of_the_same_name_are_put_together(tmp_path: Path) -> None:
    more = {"benchmarks/more.yaml": "suites:\n  weekly: {models: [small], datasets: [own]}\n"}
    assert set(opened(tmp_path, files=FILES | more).config.suites) == {"nightly", "weekly"}


def test_a_file_that_two_patterns_match_is_read_once(tmp_path: Path) -> None:
    root = ROOT.replace("  - monitor/", "  - benchmarks/suites.yaml\n  - monitor/")
    assert list(opened(tmp_path, root).config.suites) == ["nightly"]


def test_hidden_files_and_empty_ones_are_not_in_the_way(tmp_path: Path) -> None:
    beside = {"benchmarks/._suites.yaml": "\x00\x05", "benchmarks/later.yaml": "# nothing yet\n"}
    assert list(opened(tmp_path, files=FILES | beside).config.suites) == ["nightly"]


def test_paths_in_an_included_file_are_the_workspace_s(cli: Cli, make: Make) -> None:
    def move(config: dict[str, object]) -> None:
        config["include"] = ["benchmarks/*.yaml"]

    folder = make(12, move)
    whole = yaml.safe_load((folder / "driftgate.yaml").read_text(encoding="utf-8"))
    for name in ("datasets", "suites", "gates"):
        (folder / "benchmarks").mkdir(exist_ok=True)
        (folder / f"benchmarks/{name}.yaml").write_text(yaml.safe_dump({name: whole.pop(name)}), encoding="utf-8")
    (folder / "driftgate.yaml").write_text(yaml.safe_dump(whole), encoding="utf-8")
    done = cli("nightly", "-w", folder)
    assert done.code == 0, done.out + done.err


WRONG = {
    # An entry of an included file, by all the ways in which an entry can be wrong.
    ("benchmarks/suites.yaml", "models: [small]", "models: [smal]"): (
        r"benchmarks/suites\.yaml, line 3: there is no model 'smal'; did you mean 'small'\?"
    ),
    ("benchmarks/suites.yaml", "    datasets:", "    dataset:"): (
        r"benchmarks/suites\.yaml, line 4: unknown key 'dataset'; did you mean 'datasets'\?"
    ),
    ("benchmarks/suites.yaml", "suites:", "suits:"): (
        r"benchmarks/suites\.yaml, line 1: unknown key 'suits'; did you mean 'suites'\?"
    ),
    ("benchmarks/suites.yaml", "    models: [small]\n", ""): (
        r"benchmarks/suites\.yaml, line 2: 'suites\.nightly\.models' is missing"
    ),
    ("benchmarks/gates.yaml", "suite: nightly", "suite: nihgtly"): (
        r"benchmarks/gates\.yaml, line 3: there is no suite 'nihgtly'; did you mean 'nightly'\?"
    ),
    (
        "benchmarks/gates.yaml",
        "min: 0.25",
        "min: much",
    ): r"benchmarks/gates\.yaml, line 5: gates\.nightly\.rules\.0\.min",
    ("benchmarks/gates.yaml", "gates:", "gates: [\n"): r"benchmarks/gates\.yaml, line \d is not YAML",
    ("benchmarks/gates.yaml", "nightly:\n  suites", "gates:\n  suites"): (
        r"benchmarks/gates\.yaml, line 6: 'gates' stands a second time"
    ),
    (
        "monitor/monitors.yaml",
        "dataset: own",
        "dataset: owm",
    ): r"monitor/monitors\.yaml, line 5: there is no dataset 'owm'",
    # The same name in two files.
    ("benchmarks/gates.yaml", "nightly:\n  suites", "suites:\n  nightly: {}\n#"): (
        r"benchmarks/suites\.yaml, line 2: 'nightly' of suites stands in benchmarks/gates\.yaml, line 7 already"
    ),
    ("benchmarks/suites.yaml", "suites:", "models: {small: {}}\nsuites:"): (
        r"benchmarks/suites\.yaml, line 1: 'small' of models stands in driftgate\.yaml, line 7 already; keep one"
    ),
    ("monitor/monitors.yaml", "champions:", "nightly: {}\nchampions:"): (
        r"monitor/monitors\.yaml, line 1: 'nightly' stands in benchmarks/gates\.yaml, line 6 already; keep one"
    ),
    ("benchmarks/datasets.yaml", "datasets:", "name: other\ndatasets:"): (
        r"benchmarks/datasets\.yaml, line 2: 'name' stands in driftgate\.yaml, line 2 already"
    ),
    ("monitor/monitors.yaml", "champions:", "suites: [a]\nchampions:"): (
        r"monitor/monitors\.yaml, line 1: 'suites' stands in benchmarks/suites\.yaml, line 1 already"
    ),
    # What an included file may not hold.
    ("monitor/monitors.yaml", "champions:", "include: [benchmarks/x.yaml]\nchampions:"): (
        r"monitor/monitors\.yaml, line 1: an included file includes others; include them in driftgate\.yaml"
    ),
    ("benchmarks/datasets.yaml", FILES["benchmarks/datasets.yaml"], "- a\n"): (
        r"benchmarks/datasets\.yaml, line 1: an included file holds a list"
    ),
    ("benchmarks/datasets.yaml", "datasets:", "version: 2\ndatasets:"): (
        r"benchmarks/datasets\.yaml, line 2: the version is 2, and another in driftgate\.yaml"
    ),
    # The patterns.
    ("driftgate.yaml", "- monitor/monitors.yaml", "- monitor/*.yml"): (
        r"driftgate\.yaml, line 5: 'monitor/\*\.yml' matches no file; did you mean 'monitor/monitors\.yaml'\?"
    ),
    ("driftgate.yaml", "- monitor/monitors.yaml", "- monitor"): (
        r"driftgate\.yaml, line 5: 'monitor' matches no file; it is a folder: write monitor/\*\.yaml"
    ),
    ("driftgate.yaml", "- monitor/monitors.yaml", "- ../*.yaml"): (
        r"driftgate\.yaml, line 5: '\.\./\*\.yaml' leads out of the workspace"
    ),
    (
        "driftgate.yaml",
        "- monitor/monitors.yaml",
        "- /etc/*.yaml",
    ): r"line 5: '/etc/\*\.yaml' leads out of the workspace",
    ("driftgate.yaml", "- monitor/monitors.yaml", "- '*.yaml'"): (
        r"driftgate\.yaml, line 5: '\*\.yaml' includes driftgate\.yaml itself"
    ),
    ("driftgate.yaml", "- monitor/monitors.yaml", "- linked.yaml"): (
        r"driftgate\.yaml, line 5: linked\.yaml leads to .*elsewhere\.yaml, outside the workspace"
    ),
    (
        "driftgate.yaml",
        "- monitor/monitors.yaml",
        "- 'a**'",
    ): r"driftgate\.yaml, line 5: 'a\*\*' (is no pattern|matches no)",
    ("driftgate.yaml", "- monitor/monitors.yaml", "- ''"): r"driftgate\.yaml, line 5: '' is no file or pattern",
    ("driftgate.yaml", "- monitor/monitors.yaml", "- 3"): r"driftgate\.yaml, line 5: '3' is no file or pattern",
    ("driftgate.yaml", "- monitor/monitors.yaml", "- '.'"): r"driftgate\.yaml, line 5: '\.' (is no pattern|matches no)",
    ("driftgate.yaml", "include:\n  - benchmarks/*.yaml\n  - monitor/monitors.yaml", "include: benchmarks/*.yaml"): (
        r"driftgate\.yaml, line 3: include: "
    ),
}


@pytest.mark.parametrize("change", WRONG)
def test_what_is_wrong_is_said_with_file_and_line(tmp_path: Path, change: tuple[str, str, str]) -> None:
    file, old, new = change
    (tmp_path / "elsewhere.yaml").write_text("suites: {}\n", encoding="utf-8")
    space = tmp_path / "space"
    space.mkdir()
    (space / "linked.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    everything = {"driftgate.yaml": ROOT, **FILES}
    assert everything[file].count(old) == 1
    changed = everything | {file: everything[file].replace(old, new)}
    with pytest.raises(DriftgateError, match=WRONG[change]) as refused:
        opened(space, changed.pop("driftgate.yaml"), changed)
    assert refused.value.remedy


def test_an_included_file_is_read_by_the_same_schema(tmp_path: Path) -> None:
    opened(tmp_path)
    schema = jsonschema.Draft202012Validator(json_schema())
    for file in ("driftgate.yaml", *FILES):
        schema.validate(yaml.safe_load((tmp_path / file).read_text(encoding="utf-8")))
    for wrong in ({"include": ["benchmarks/*.yaml"]}, {"suits": {}}, {"include": "benchmarks/*.yaml", "version": 1}):
        assert not schema.is_valid(wrong), wrong


@pytest.mark.parametrize(("said", "on_disk"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_name_is_found_in_the_form_that_it_has_on_disk(tmp_path: Path, said: str, on_disk: str) -> None:
    name = "평가/가.yaml"
    root = ROOT.replace("benchmarks/*.yaml", normalize(said, name)).replace("  - monitor/monitors.yaml\n", "")
    space = opened(tmp_path, root, {normalize(on_disk, name): "datasets:\n  own: {kind: csv, path: data/own.csv}\n"})
    assert list(space.config.datasets) == ["own"]
