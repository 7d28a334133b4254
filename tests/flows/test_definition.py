"""Flows on disk: variants, hashes, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from driftgate.flows.definition import FlowDefinition, load_flow
from driftgate.flows.errors import DriftgateError
from driftgate.shipped import shipped

SHIPPED = shipped("flows") / "multiple_choice"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A workspace with a copy of the shipped flow in ``flows/mine``."""
    shutil.copytree(SHIPPED, tmp_path / "flows/mine", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_the_shipped_flow_is_found_by_name(tmp_path: Path) -> None:
    flow = load_flow("multiple_choice", tmp_path)
    assert flow.node_names == ("render", "ask", "extract")
    assert flow.variants == {"render": ("zero_shot", "few_shot", "terse", "lm_eval")}
    assert flow.chosen == {"render": "zero_shot"}
    assert {"question", "choices", "passage", "examples", "scoring"} == flow.inputs


@pytest.mark.parametrize("name", ["mine", "flows/mine"])
def test_a_flow_of_the_workspace(copy: Path, name: str) -> None:
    assert load_flow(name, copy).folder == (copy / "flows/mine").resolve()


def test_a_workspace_s_own_flow_goes_before_the_shipped_one(copy: Path) -> None:
    (copy / "flows/mine").rename(copy / "flows/multiple_choice")
    assert load_flow("multiple_choice", copy).folder.is_relative_to(copy)


@pytest.mark.parametrize("variant", ["terse", "render.terse", " terse "])
def test_a_variant_is_chosen(tmp_path: Path, variant: str) -> None:
    flow = load_flow("multiple_choice", tmp_path).with_variant(variant)
    assert flow.chosen == {"render": "terse"}
    assert flow.resolved_nodes()[0]["source"]["path"] == "terse.jinja2"


def test_no_variant_is_the_default(tmp_path: Path) -> None:
    flow = load_flow("multiple_choice", tmp_path)
    assert flow.with_variant("") == flow


@pytest.mark.parametrize(
    ("variant", "said"),
    [
        ("tersee", r"variant 'tersee' is not there; did you mean 'terse'"),
        ("render.tersee", r"did you mean 'render\.terse'"),
        ("ask.terse", r"'ask\.terse' is not there"),
    ],
)
def test_an_unknown_variant_gets_the_nearest(tmp_path: Path, variant: str, said: str) -> None:
    with pytest.raises(DriftgateError, match=said):
        load_flow("multiple_choice", tmp_path).with_variant(variant)


TWO = """
inputs: {question: {type: string}}
outputs: {answer: {type: string, reference: "${two.output}"}}
nodes:
- {name: one, use_variants: true}
- {name: two, use_variants: true}
node_variants:
  one: {default_variant_id: plain, variants: {plain: {node: &p {type: prompt, source: {type: code, path: p.jinja2}}}}}
  two: {default_variant_id: plain, variants: {plain: {node: *p}, loud: {node: *p}}}
"""


def test_a_variant_in_several_nodes_needs_its_node(tmp_path: Path) -> None:
    (tmp_path / "flows/two").mkdir(parents=True)
    (tmp_path / "flows/two/flow.dag.yaml").write_text(TWO, encoding="utf-8")
    flow = load_flow("two", tmp_path)
    assert flow.with_variant("one.plain,loud").chosen == {"one": "plain", "two": "loud"}
    with pytest.raises(DriftgateError, match="'plain' is in several nodes"):
        flow.with_variant("plain")


def _hashes(workspace: Path) -> dict[str, str]:
    flow = load_flow("mine", workspace)
    return {name: flow.with_variant(name).content_hash() for name in ("zero_shot", "few_shot", "terse")}


def test_each_variant_has_a_hash_of_its_own(copy: Path) -> None:
    assert len(set(_hashes(copy).values())) == 3
    assert _hashes(copy) == _hashes(copy)


def test_a_template_changes_the_hash_of_its_own_variant_alone(copy: Path) -> None:
    before = _hashes(copy)
    template = copy / "flows/mine/terse.jinja2"
    template.write_text(template.read_text(encoding="utf-8") + " ", encoding="utf-8")
    after = _hashes(copy)
    assert {name for name in before if before[name] != after[name]} == {"terse"}


@pytest.mark.parametrize("source", ["ask.py", "extract.py"])
def test_a_tool_changes_every_hash(copy: Path, source: str) -> None:
    before = _hashes(copy)
    file = copy / "flows/mine" / source
    file.write_text(file.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    assert not set(before.values()) & set(_hashes(copy).values())


def test_neither_place_nor_name_changes_the_hash(copy: Path) -> None:
    assert load_flow("mine", copy).content_hash() == load_flow("multiple_choice", copy).content_hash()


@pytest.mark.parametrize("name", ["../outside", "flows/../../outside", "multiple_choice/../multiple_choice"])
def test_a_flow_outside_of_the_workspace_is_refused(copy: Path, name: str) -> None:
    shutil.copytree(copy / "flows/mine", copy.parent / "outside", dirs_exist_ok=True)
    with pytest.raises(DriftgateError, match=r"outside the workspace|there is no flow"):
        load_flow(name, copy)
    with pytest.raises(DriftgateError, match="outside the workspace"):
        load_flow(str((copy.parent / "outside").resolve()), copy)


def test_a_link_out_of_the_workspace_is_refused(copy: Path) -> None:
    shutil.copytree(copy / "flows/mine", copy.parent / "linked", dirs_exist_ok=True)
    (copy / "flows/link").symlink_to(copy.parent / "linked")
    with pytest.raises(DriftgateError, match="outside the workspace"):
        load_flow("link", copy)


def test_an_unknown_flow_gets_the_nearest(copy: Path) -> None:
    with pytest.raises(DriftgateError, match="no flow 'multiple_chioce'; did you mean 'multiple_choice'"):
        load_flow("multiple_chioce", copy)
    with pytest.raises(DriftgateError, match="did you mean 'flows/mine'"):
        load_flow("flows/mime", copy)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nodes: [", "is not YAML"),
        ("- a list", "has no list of nodes"),
        ("inputs: {}", "has no list of nodes"),
        ("", "has no list of nodes"),
        ("nodes: [{type: python}]", "has no name"),
        ("nodes: [just text]", "has no name"),
        (
            "nodes: [{name: a, use_variants: true}]\nnode_variants: {a: {variants: {x: {node: {}}}}}",
            "default_variant_id",
        ),
        ("nodes: []\nnode_variants: [1]", "node_variants"),
        ("nodes: []\ninputs: [question]", "inputs"),
        ("nodes: [{name: a, type: python, source: {type: code, path: ../../../evil.py}}]", "outside"),
    ],
)
def test_a_file_that_is_no_flow_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "flows/odd").mkdir(parents=True)
    (tmp_path / "flows/odd/flow.dag.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(DriftgateError, match=said) as refused:
        load_flow("odd", tmp_path)
    assert refused.value.remedy


def test_the_file_is_read_safely(tmp_path: Path) -> None:
    (tmp_path / "flows/odd").mkdir(parents=True)
    (tmp_path / "flows/odd/flow.dag.yaml").write_text("nodes: !!python/object/apply:os.getcwd []", encoding="utf-8")
    with pytest.raises(DriftgateError, match="is not YAML"):
        load_flow("odd", tmp_path)


def test_a_definition_is_a_value(tmp_path: Path) -> None:
    one, other = (load_flow("multiple_choice", tmp_path) for _ in range(2))
    assert isinstance(one, FlowDefinition)
    assert one == other


FLEX = "entry: main:Main\noutputs: {answer: {type: string}}\n"
MAIN = """
class Main:
    def __call__(self, question: str, examples: list = [], *, loud: bool = bool(0)):
        return {"answer": question}

    def __aggregate__(self, line_results):
        return {}
"""
PROMPTY = """---
model: {api: chat, configuration: {type: openai, model: m}, parameters: {}}
sample: {question: a}
---
user:
{{question}}
"""


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A workspace with a flex flow ``flows/flex`` and a prompty ``flows/ask.prompty``."""
    (tmp_path / "flows/flex").mkdir(parents=True)
    (tmp_path / "flows/flex/flow.flex.yaml").write_text(FLEX, encoding="utf-8")
    (tmp_path / "flows/flex/main.py").write_text(MAIN, encoding="utf-8")
    (tmp_path / "flows/ask.prompty").write_text(PROMPTY, encoding="utf-8")
    return tmp_path


def test_a_flex_flow_is_a_flow_of_one_node(other: Path) -> None:
    flow = load_flow("flex", other)
    assert (flow.name, flow.kind, flow.node_names, flow.aggregates) == ("flex", "flex", ("flow",), True)
    assert flow.inputs == {"question", "examples", "loud"}
    assert flow.input_defaults == {"examples": []}
    assert flow.outputs == {"answer"}


def test_a_prompty_is_a_flow_of_two_nodes(other: Path) -> None:
    flow = load_flow("flows/ask.prompty", other)
    assert (flow.name, flow.kind, flow.node_names, flow.aggregates) == ("ask", "prompty", ("render", "ask"), False)
    assert (flow.inputs, flow.outputs) == ({"question"}, {"output"})
    assert flow.evaluators_file.name == "evaluators.yaml"
    (other / "flows/ask.evaluators.yaml").touch()
    assert flow.evaluators_file.name == "ask.evaluators.yaml"


@pytest.mark.parametrize("file", ["flow.flex.yaml", "main.py", "neighbour.py", "prompts/a.jinja2"])
def test_every_file_of_a_flex_flow_is_in_its_hash(other: Path, file: str) -> None:
    before = load_flow("flex", other).content_hash()
    path = other / "flows/flex" / file
    path.parent.mkdir(exist_ok=True)
    with path.open("a", encoding="utf-8") as stream:
        stream.write("# changed\n")
    assert load_flow("flex", other).content_hash() != before


def test_the_evaluators_of_a_flex_flow_are_not_in_its_hash(other: Path) -> None:
    flow = load_flow("flex", other)
    before = flow.content_hash()
    (other / "flows/flex/evaluators.yaml").write_text("primary: flow.a.b\n", encoding="utf-8")
    assert flow.content_hash() == before


def test_a_prompty_s_hashes_follow_its_file(other: Path) -> None:
    before = load_flow("ask.prompty", other)
    hashes = before.content_hash(), before.prompt_hash()
    (other / "flows/ask.prompty").write_text(PROMPTY + "!", encoding="utf-8")
    after = load_flow("ask.prompty", other)
    assert not {*hashes} & {after.content_hash(), after.prompt_hash()}


def test_a_file_that_a_prompty_takes_something_from_is_in_its_hash(other: Path) -> None:
    text = PROMPTY.replace("parameters: {}", "parameters: {stop: '${file:stop.json}'}")
    (other / "flows/ask.prompty").write_text(text, encoding="utf-8")
    hashes = set()
    for stop in ("[1]", "[2]"):
        (other / "flows/stop.json").write_text(stop, encoding="utf-8")
        hashes.add(load_flow("ask.prompty", other).content_hash())
    assert len(hashes) == 2


def test_a_folder_with_two_flows_is_refused(other: Path) -> None:
    (other / "flows/flex/flow.dag.yaml").write_text("nodes: []", encoding="utf-8")
    with pytest.raises(DriftgateError, match=r"has flow\.dag\.yaml and flow\.flex\.yaml"):
        load_flow("flex", other)


def test_a_prompty_outside_of_the_workspace_is_refused(other: Path) -> None:
    with pytest.raises(DriftgateError, match="outside the workspace"):
        load_flow("../ask.prompty", other / "flows/flex")
    (other / "flows/flex/link.prompty").symlink_to(other / "flows/ask.prompty")
    with pytest.raises(DriftgateError, match="outside the workspace"):
        load_flow("link.prompty", other / "flows/flex")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no entry"),
        ("entry: [a]", "has no entry"),
        ("entry: main:Main\nlanguage: csharp", "is a flow in csharp"),
        ("entry: main:Main\ninputs: [a]", "has 'inputs' that is no mapping"),
        ("entry: ../main:Main", "is not in the flow's folder"),
        ("entry: main:Main\nadditional_includes: [../../../lib]", "from outside the workspace"),
    ],
)
def test_a_file_that_is_no_flex_flow_is_refused(other: Path, text: str, said: str) -> None:
    (other / "flows/flex/flow.flex.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(DriftgateError, match=said):
        load_flow("flex", other)
