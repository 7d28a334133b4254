"""The workspace file: what is refused, with the line and the nearest name."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from driftgate.api import _yaml
from driftgate.api.workspace import OpenWorkspace, open_workspace
from driftgate.flows.errors import DriftgateError
from driftgate.flows.text import named_value

GOOD = """\
version: 1
name: team
models:
  small:
    provider: openai
    endpoint: http://127.0.0.1:8000/v1
    model: gpt-test
    api_key: ${env:SMALL_KEY}
    prices: {input: 0.4, output: 1.6}
datasets:
  own: {kind: csv, path: data/own.csv}
  sample:
    kind: sample
suites:
  nightly:
    models: [small]
    datasets:
      - own
      - sample
    variants: [terse]
gates:
  nightly:
    suite: nightly
    rules:
      - {metric: accuracy, min: 0.25}
      - metric: accuracy
        no_worse_than: previous
nightly:
  suites: [nightly]
  gates: [nightly]
"""


def opened(folder: Path, text: str) -> OpenWorkspace:
    (folder / "driftgate.yaml").write_text(text, encoding="utf-8")
    return open_workspace(folder)


def test_a_good_file(tmp_path: Path) -> None:
    workspace = opened(tmp_path, GOOD)
    assert list(workspace.config.models) == ["small"]
    assert workspace.config.models["small"].prices.output == 1.6
    assert workspace.suite("nightly").datasets == ["own", "sample"]
    assert workspace.config.gates["nightly"].rules[1].no_worse_than == "previous"
    assert workspace.reports == (tmp_path / "reports").resolve()


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    assert opened(tmp_path, "\ufeff" + GOOD).config.name == "team"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("datasets:\n  own", "dataset:\n  own", "line 10: unknown key 'dataset'; did you mean 'datasets'?"),
        ("    model: gpt", "    modle: gpt", "line 7: unknown key 'modle'; did you mean 'model'?"),
        ("prices: {input:", "prices: {inputs:", "line 9: unknown key 'inputs'; did you mean 'input'?"),
        ("path: data", "paht: data", "line 11: unknown key 'paht'; did you mean 'path'?"),
        ("    variants:", "    variant:", "line 20: unknown key 'variant'; did you mean 'variants'?"),
        ("{metric: accuracy, min", "{metric: accuracy, minimum", "line 25: unknown key 'minimum'; did you mean 'min'?"),
        ("        no_worse", "        no_worst", "line 27: unknown key 'no_worst_than'; did you mean 'no_worse_than'?"),
        ("  gates: [nightly]", "  gate: [nightly]", "line 30: unknown key 'gate'; did you mean 'gates'?"),
        ("models: [small]", "models: [smal]", "line 16: there is no model 'smal'; did you mean 'small'?"),
        ("      - sample\n", "      - samples\n", "line 19: there is no dataset 'samples'; did you mean 'sample'?"),
        ("suite: nightly", "suite: nightyl", "line 23: there is no suite 'nightyl'; did you mean 'nightly'?"),
        ("  suites: [nightly]", "  suites: [night]", "line 29: there is no suite 'night'"),
        ("  gates: [nightly]", "  gates: [x]", "line 30: there is no gate 'x'; known: nightly"),
        ("provider: openai", "provider: opnai", "line 4: .*did you mean 'openai'"),
        ("kind: sample", "kind: smaple", "line 12: .*did you mean 'sample'"),
        ("    provider: openai\n", "", "line 4: models.small: 'provider' is missing"),
        ("    endpoint: http://127.0.0.1:8000/v1\n", "", "line 4: 'models.small.endpoint' is missing"),
        ("version: 1", "version: 2", "line 1: version: Input should be 1"),
        ("version: 1\n", "", "'version' is missing"),
        ("name: team", "name: a/b", "line 2: name: 'a/b' has other signs than letters"),
        ("min: 0.25", "min: much", "line 25: gates.nightly.rules.0.min"),
        (", min: 0.25", "", "line 25: .*exactly one of min, max, .*; found none"),
        ("models: [small]", "models: small", "line 16: suites.nightly.models"),
        ("${env:SMALL_KEY}", "sk-abc123", r"line 8: models.small.api_key: a secret .* write \$\{env:NAME\}"),
        ("name: team", "name: team\nname: other", "line 3: 'name' stands a second time; keep one"),
        ("  sample:\n    kind: sample", "  own:\n    kind: sample", "line 12: 'own' stands a second time"),
        ("name: team", "name: [", "line 4 is not YAML"),
        ("name: team", "name: !!python/object/apply:os.getcwd []", "line 2 is not YAML"),
        ("name: team", "name: &a [*b]", "line 2 is not YAML"),
        ("name: team", "name: &a [*a]", "refers to itself"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert GOOD.count(old) == 1
    with pytest.raises(DriftgateError, match=r"driftgate\.yaml") as refused:
        opened(tmp_path, GOOD.replace(old, new))
    assert refused.match(said.replace("?", r"\?").replace(r"\\?", r"\?"))
    assert refused.value.remedy
    assert "sk-abc123" not in str(refused.value)


def test_a_suite_takes_another_with_one_key_changed(tmp_path: Path) -> None:
    """YAML's own ``<<``: what stands beside it takes the place of what is merged."""
    text = """
version: 1
models:
  a: &model {provider: openai, endpoint: "http://127.0.0.1:8000/v1", model: a}
  b: {<<: *model, model: b}
datasets: {one: {kind: sample}}
suites:
  first: &first
    models: [a]
    datasets: [one]
    flow: multiple_choice
    variants: [zero_shot]
  second:
    <<: *first
    models: [b]
  third: {<<: [{models: [b]}, *first], datasets: [one]}
"""
    workspace = opened(tmp_path, text)
    assert [workspace.suite(name).models for name in ("first", "second", "third")] == [["a"], ["b"], ["b"]]
    with pytest.raises(DriftgateError, match="line 16: 'models' stands a second time"):
        opened(tmp_path, text.replace("    models: [b]\n", "    models: [b]\n    models: [a]\n"))


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just text", "1"])
def test_a_file_that_is_no_workspace(tmp_path: Path, text: str) -> None:
    with pytest.raises(DriftgateError, match=r"driftgate\.yaml, line 1"):
        opened(tmp_path, text)


def test_no_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(DriftgateError, match=r"there is no driftgate\.yaml in .*driftgate init"):
        open_workspace(tmp_path)


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "driftgate.yaml").write_bytes("name: 한글".encode("cp949"))
    with pytest.raises(DriftgateError, match="UTF-8"):
        open_workspace(tmp_path)


def test_reports_stay_inside_the_workspace(tmp_path: Path) -> None:
    with pytest.raises(DriftgateError, match="keep it inside the workspace"):
        opened(tmp_path, GOOD + "reports: ../elsewhere\n")


def test_the_ledger_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = opened(tmp_path, GOOD + "ledger: ${env:TEAM_LEDGER}\n")
    monkeypatch.delenv("TEAM_LEDGER", raising=False)
    with pytest.raises(DriftgateError, match="ledger needs the environment variable TEAM_LEDGER"):
        _ = workspace.ledger
    monkeypatch.setenv("TEAM_LEDGER", "postgresql://host/db")
    assert workspace.ledger == "postgresql://host/db"


KEYS = st.text("abcdefg가나", min_size=1, max_size=6)
TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=10,
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file for all the examples of a test."""
    return tmp_path_factory.mktemp("yaml") / "any.yaml"


@given(value=st.dictionaries(KEYS, VALUES, max_size=5))
def test_every_key_s_line_is_where_the_key_stands(path: Path, value: object) -> None:
    text = yaml.safe_dump(value, allow_unicode=True, width=10_000)
    path.write_text(text, encoding="utf-8")
    document = _yaml.read(path)
    assert document.value == named_value(value)  # in form NFC
    lines = text.splitlines()
    for location, line in document.lines.items():
        if isinstance(location[-1], str):
            assert location[-1] in lines[line - 1]


@given(text=st.text(max_size=60))
def test_any_text_is_read_or_refused_in_a_sentence(path: Path, text: str) -> None:
    path.write_bytes(text.encode(errors="surrogatepass"))
    try:
        _yaml.read(path)
    except DriftgateError as problem:
        assert "any.yaml" in problem.message
        assert problem.remedy
