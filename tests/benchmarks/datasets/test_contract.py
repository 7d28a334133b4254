"""What every kind of dataset must do, run on every member of the registry."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from driftgate.benchmarks.datasets import DATASETS, parse_config
from driftgate.flows.errors import DriftgateError
from driftgate.flows.letters import LETTERS
from driftgate.flows.sample import OWN


@pytest.fixture
def config(kind, build, tmp_path):
    return build(kind, tmp_path)


@pytest.fixture
def dataset(config, load, tmp_path):
    return load(config, tmp_path)


def needs(kind: str, setting: str) -> None:
    if setting not in DATASETS.get(kind).config.model_fields:
        pytest.skip(f"{kind} has no {setting}")


def test_keys_are_unique(dataset):
    keys = [sample.key for sample in [*dataset.samples, *dataset.shots]]
    assert keys
    assert len(set(keys)) == len(keys)


def test_keys_and_fingerprint_do_not_depend_on_where_the_files_are(kind, dataset, build, load, tmp_path):
    elsewhere = tmp_path / "another" / "place"
    elsewhere.mkdir(parents=True)
    again = load(build(kind, elsewhere), elsewhere)
    assert [s.key for s in again.samples] == [s.key for s in dataset.samples]
    assert [s.key for s in again.shots] == [s.key for s in dataset.shots]
    assert again.fingerprint == dataset.fingerprint


def test_answers_are_letters_of_choices_or_text(dataset):
    for sample in [*dataset.samples, *dataset.shots]:
        choices = sample.data.get("choices")
        if choices is None:
            assert sample.data["answer"].strip() if "answer" in sample.data else sample.data["instructions"]
        else:
            assert all(isinstance(choice, str) and choice.strip() for choice in choices)
            assert sample.data["answer"] in list(LETTERS[: len(choices)])


def test_questions_are_text_and_an_absent_passage_is_absent(dataset):
    for sample in [*dataset.samples, *dataset.shots]:
        assert sample.data["question"].strip()
        assert sample.data.get("passage", "some").strip()


def test_shots_are_disjoint_from_samples(dataset):
    assert not {s.asked for s in dataset.shots} & {s.asked for s in dataset.samples}


def test_every_sample_says_where_it_stands(kind, config, dataset):
    whole = config["of"]["kind"] if kind == "subset" else kind  # a subset's samples are those of its whole
    whole = OWN if whole in ("csv", "jsonl", "parquet") else whole
    for sample in [*dataset.samples, *dataset.shots]:
        assert sample.dataset == whole
        assert sample.split
        assert sample.id
        assert sample.category
    places = [(s.split, s.subset, s.position) for s in [*dataset.samples, *dataset.shots]]
    assert len(set(places)) == len(places)


def test_data_is_json(dataset):
    for sample in [*dataset.samples, *dataset.shots]:
        assert json.loads(json.dumps(dict(sample.data), allow_nan=False)) == sample.data


def test_the_dataset_says_what_it_is_and_whence(dataset):
    assert dataset.name == "mine"
    assert dataset.source
    assert not Path(dataset.source).is_absolute()


def test_reading_writes_nothing_and_needs_no_permission_to_write(config, dataset, load, tmp_path):
    paths = [tmp_path, *tmp_path.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        assert load(config, tmp_path).fingerprint == dataset.fingerprint
        assert [tmp_path, *tmp_path.rglob("*")] == paths
    finally:
        for path in paths:
            path.chmod(0o755 if path.is_dir() else 0o644)


def test_an_unknown_key_is_refused(config):
    with pytest.raises(ValidationError, match="colour"):
        parse_config({**config, "colour": "blue"})


def test_every_setting_is_documented(kind):
    for name, setting in DATASETS.get(kind).config.model_fields.items():
        assert setting.description, name


def test_a_missing_path_is_named_with_a_remedy(kind, config, load, tmp_path):
    needs(kind, "path")
    with pytest.raises(DriftgateError, match="nowhere") as caught:
        load({**config, "path": "nowhere/nothing." + kind}, tmp_path)
    assert caught.value.remedy


def test_an_empty_folder_is_named_with_a_remedy(kind, config, load, tmp_path):
    needs(kind, "path")
    (tmp_path / "bare").mkdir()
    with pytest.raises(DriftgateError, match="bare") as caught:
        load({**config, "path": "bare"}, tmp_path)
    assert caught.value.remedy


def test_a_filter_keeps_the_keys_of_what_it_keeps(kind, config, dataset, load, tmp_path):
    needs(kind, "categories")
    category = dataset.samples[-1].category
    part = load({**config, "categories": [category]}, tmp_path)
    assert [s.key for s in part.samples] == [s.key for s in dataset.samples if s.category == category]
    assert {s.category for s in part.shots} <= {category}


def test_an_unknown_category_is_answered_with_the_nearest(kind, config, dataset, load, tmp_path):
    needs(kind, "categories")
    category = dataset.samples[0].category
    with pytest.raises(DriftgateError, match=f"no category '{category}x'") as caught:
        load({**config, "categories": [category + "x"]}, tmp_path)
    assert category in caught.value.remedy


def test_published_datasets_name_super_categories_and_a_licence(kind, dataset):
    needs(kind, "hub")
    assert all(sample.super_category for sample in dataset.samples)
    assert dataset.licence
