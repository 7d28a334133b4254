"""What every preset must do, run on every member of the registry."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftgate.benchmarks.datasets import DATASETS
from driftgate.benchmarks.recorded import COLUMNS, PRESETS, Preset, find_preset, recognise
from driftgate.flows.errors import DriftgateError
from driftgate.flows.letters import LETTERS

EXAMPLES = {
    "evaluate_llm_on_korean_dataset": [
        "[CLIcK] gpt-35-turbo-230613.csv",
        "[HAERAE] phi-3-5-moe-instruct.csv",
        "[KMMLU] llama-3-1-8b-instruct-5shot.csv",
        "[KMMLU-HARD] gpt-5-chat-2025-08-08-0shot.csv",
        "[KorMedMCQA] gpt-4o-2025-12-11.csv",
        "[KoBALT] gpt-4o-2025-12-11.csv",
        "[HRM8K] gpt-4o-2025-12-11.csv",
    ]
}


@pytest.fixture(params=PRESETS.names())
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def preset(name: str) -> Preset:
    return PRESETS.get(name)


def test_it_says_what_its_files_look_like(preset: Preset) -> None:
    assert preset.describe


def test_its_files_are_recognised_and_others_are_not(name: str, preset: Preset) -> None:
    for file in EXAMPLES[name]:
        assert preset.recognise(Path(file)) == recognise(Path("/some/folder") / file)
        assert preset.recognise(Path(file)) is not None
    for file in ("notes.csv", "[OTHER] model.csv", "[KMMLU] model.txt", "PUBLISHED.md"):
        assert preset.recognise(Path(file)) is None


def test_what_it_says_of_a_file_can_be_imported(name: str, preset: Preset) -> None:
    for file in EXAMPLES[name]:
        source = preset.recognise(Path(file))
        assert source is not None
        assert source.model and source.preset
        assert source.columns.keys() <= COLUMNS.keys()
        assert "gold" in source.columns
        assert {"prediction", "response"} & source.columns.keys()
        assert {"id", "category"} & source.columns.keys()
        assert source.benchmark.kind in DATASETS.names()
        assert LETTERS.startswith(source.benchmark.letters)
        if source.benchmark.name:  # without questions the number of rows says whether a file is complete
            assert source.benchmark.rows


def test_it_is_found_with_hyphens_too(name: str, preset: Preset) -> None:
    assert find_preset(name.replace("_", "-")) is preset
    with pytest.raises(DriftgateError, match="there is no preset"):
        find_preset(name + "x")
