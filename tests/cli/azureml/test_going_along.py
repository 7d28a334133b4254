"""What goes along with jobs of Azure Machine Learning, and what must not."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from azure_cluster import Cluster
from azure_services import Cloud
from chat_endpoint import Answer, ChatEndpoint
from command_line import Cli
from on_azureml import AZUREML, KEY, carried, on_azureml, put
from rollouts import edit

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals and a shell")


def test_own_code_and_data_of_an_allowed_root_go_along_as_they_lie_here(
    cloud: Cloud, cluster: Cluster, endpoint: ChatEndpoint, tmp_path: Path, cli: Cli
) -> None:
    cluster.apart = True
    endpoint.default = Answer("서울")
    files = {
        "driftgate.yaml": yaml.safe_dump(
            {
                "version": 1,
                "allowed_roots": ["../../shared"],
                "models": {
                    "tested": {"provider": "openai", "endpoint": f"{endpoint.url}/v1", "model": "gpt-test"},
                    "other": {"provider": "openai", "endpoint": "${env:OTHER_URL}", "model": "gpt-other"},
                },
                "champions": {"assistant": "tested"},
                "datasets": {"rows": {"kind": "jsonl", "path": "../../shared/rows.jsonl"}},
                "suites": {
                    "it": {
                        "models": ["champion:assistant"],
                        "datasets": ["rows"],
                        "prompt": "prompts/ask.jinja2",
                        "evaluators": {
                            "reply": {
                                "own": {
                                    "evaluator": "graders:grade",
                                    "inputs": {"said": "${nodes.reply.output}", "gold": "${data.answer}"},
                                }
                            }
                        },
                        "primary": "reply.own.right",
                    }
                },
                "azureml": {**AZUREML, "variables": [], "files": ["words"]},
            }
        ),
        "graders/__init__.py": "from graders.words import known\n\n\ndef grade(said, gold):\n"
        "    return {'right': float(said == gold and said in known())}\n",
        "graders/words.py": "from pathlib import Path\n\n\ndef known():\n"
        "    return (Path(__file__).parents[1] / 'words/cities.txt').read_text('utf-8').split()\n",
        "graders/unused.py": "",
        "words/cities.txt": "서울 부산",
        "prompts/ask.jinja2": "수도는 {{ country }}?",
        "prompts/other.jinja2": "",
    }
    space = tmp_path / "teams/one/space"
    for name, text in files.items():
        (space / name).parent.mkdir(parents=True, exist_ok=True)
        (space / name).write_text(text, "utf-8")
    shared = tmp_path / "teams/shared"
    shared.mkdir()
    rows = [{"country": f"{n}국", "answer": "서울"} for n in range(6)]
    (shared / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")

    done = on_azureml(cli, space)
    assert done.code == 0, done.err + str(cluster.logs)
    assert len(endpoint.requests) == 6 and "1.000" in done.out
    sent = sorted(name.removeprefix("tree/above-2/") for name in carried(cloud))
    assert sent == [
        "above-1/workspace/driftgate.yaml",
        "above-1/workspace/graders/__init__.py",
        "above-1/workspace/graders/words.py",
        "above-1/workspace/prompts/ask.jinja2",
        "above-1/workspace/words/cities.txt",
        "job.json",
        "shared/rows.jsonl",
    ]
    told = yaml.safe_load(carried(cloud)["tree/above-2/above-1/workspace/driftgate.yaml"])
    assert list(told["models"]) == ["tested"] and told["suites"]["it"]["models"] == ["tested"]
    assert not (space / ".driftgate/shards").exists() or not list((space / ".driftgate/shards").iterdir())


def test_a_key_that_the_compute_does_not_have_is_named_before_anything_is_asked(
    cluster: Cluster, folder: Path, endpoint: ChatEndpoint, cli: Cli
) -> None:
    cluster.apart = True
    cluster.variables.clear()
    done = on_azureml(cli, folder)
    assert done.code == 2 and "TESTED_KEY is not set on the compute" in done.err
    assert endpoint.requests == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"variables": ["TESTED_URL", "TESTED_KEY"]}, "names TESTED_KEY, which is a key"),
        ({"variables": ["TESTED_URL", "OTHER"]}, "names OTHER, which holds a secret"),
        ({"extras": ["nonesuch"]}, "no extra 'nonesuch'"),
        ({"files": ["notes"]}, "holds the value of a secret"),
        ({"files": ["../elsewhere"]}, "outside the workspace"),
        ({"requirements": "loose.txt"}, "not pinned"),
    ],
)
def test_what_must_not_go_along_is_refused_before_anything_is_sent(
    cloud: Cloud,
    cluster: Cluster,
    folder: Path,
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, Any],
    words: str,
) -> None:
    monkeypatch.setenv("OTHER", KEY)
    (folder / "notes").write_text(f"the key is {KEY}", "utf-8")
    (folder / "loose.txt").write_text("numpy\n", "utf-8")
    edit(folder, lambda config: config["azureml"].update(change))
    done = on_azureml(cli, folder)
    assert done.code == 2 and words in done.err, done.err
    assert put(cloud) == [] and not cloud.azure.blobs


@pytest.mark.parametrize(
    ("arguments", "change", "words"),
    [
        (("--on", "moon"), {}, "azureml only"),
        (("--cancel",), {}, "about jobs"),
        (("--on", "azureml", "--cache"), {}, "--no-cache"),
        (("--on", "azureml", "--gate", "small", "--sequential"), {}, "not divided"),
        (("--on", "azureml"), {"azureml": None}, "does not say where jobs run"),
    ],
)
def test_what_jobs_cannot_ask_is_refused(
    cloud: Cloud, folder: Path, cli: Cli, arguments: tuple[str, ...], change: dict[str, Any], words: str
) -> None:
    edit(folder, lambda config: config.update(change))
    done = cli("bench", *arguments, "-w", folder)
    assert done.code == 2 and words in done.err, done.err
    assert put(cloud) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "2 jobs on cpu-cluster"),
        ({"extras": ["nonesuch"]}, "no extra 'nonesuch'"),
        ({"requirements": "none.txt"}, "no file of requirements"),
        ({"files": ["none"]}, "which is not there"),
        ({"workspace": {**AZUREML["workspace"], "workspace": "${env:NO_SUCH}"}}, "NO_SUCH"),
    ],
)
def test_doctor_looks_at_what_jobs_need(
    cloud: Cloud, folder: Path, cli: Cli, change: dict[str, Any], words: str
) -> None:
    edit(folder, lambda config: config["azureml"].update(change))
    done = cli("doctor", "-w", folder)
    assert words in done.out, done.out
    assert (done.code == 0) == (not change) and not cloud.net.requests
