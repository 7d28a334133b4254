"""How long ``driftgate doctor`` takes and how often it asks, beside a ten-sample ``driftgate bench``.

Run from the project's root::

    python -m benchmarks.perf.preflight

It makes a workspace in a temporary folder with two models at a loopback endpoint, an own evaluator, a gate, a monitor
and a recipe, and runs each command in a process of its own. The processor time beside the wall time says how far a busy
machine is to blame.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.perf import startup

WORKSPACE = """\
version: 1
models:
  tested: {{provider: openai, endpoint: "{endpoint}/v1", model: none}}
  second: {{provider: openai, endpoint: "{endpoint}/v1", model: none}}
datasets: {{sample: {{kind: sample}}, sealed: {{kind: jsonl, path: sealed.jsonl}}}}
champions: {{live: tested}}
suites:
  ten: {{models: [tested, second], datasets: [sample], variants: [terse, zero_shot], limit: 10}}
gates:
  ten: {{suite: ten, rules: [{{metric: share.failed, max: 0.9}}, {{metric: extract.choice.correct, min: 0.01}}]}}
  promotion: {{rules: [{{metric: accuracy, no_worse_than: champion}}]}}
monitors:
  watch: {{champion: live, canaries: {{dataset: sample, variant: terse, limit: 40}}, recipe: tune}}
recipes:
  tune:
    champion: live
    synthesis: {{sources: [{{kind: questions, path: material.jsonl}}], count: 40}}
    base_model: tested
    trainer:
      trainer: azure_openai
      endpoint: https://tuned.example.com
      base: gpt-oss-20b
      account: {{subscription: s, resource_group: g, account: a}}
    proof: [sealed]
    gate: promotion
"""
COUNT = 60


class Counted(startup.Answers):
    """Counts what it is asked."""

    asked = 0

    def do_POST(self) -> None:  # noqa: N802 - the library's name
        """Count, and answer."""
        Counted.asked += 1
        super().do_POST()


def questions(path: Path, first: int) -> None:
    """Write a file of questions that no other file has."""
    rows = [
        {
            "question": f"{n}번: {n * 7919 % 1009}과 {n * 104729 % 997}의 합은?",
            "choices": ["1", "2", "3", "4"],
            "answer": "A",
        }
        for n in range(first, first + COUNT)
    ]
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")


def main() -> None:
    """Print one line a command."""
    command = ("-m", "driftgate")
    calls = {
        "python -c 'import pandas'": ("-c", "import pandas"),
        "driftgate doctor": (*command, "doctor"),
        "driftgate bench (ten samples)": (*command, "bench"),
    }
    with tempfile.TemporaryDirectory() as name, startup.endpoint(Counted) as address:
        folder = Path(name)
        (folder / "driftgate.yaml").write_text(WORKSPACE.format(endpoint=address), encoding="utf-8")
        questions(folder / "sealed.jsonl", 0)
        questions(folder / "material.jsonl", 1000)
        startup.took((*command, "doctor"), folder)  # so that the files are in the page cache
        print(f"{'medians of ' + str(startup.TIMES):32} {'wall':>8} {'processor':>10} {'requests':>9}")
        for words, arguments in calls.items():
            Counted.asked = 0
            found = [startup.took(arguments, folder) for _ in range(startup.TIMES)]
            wall, processor = (median(values) for values in zip(*found, strict=True))
            print(f"{words:32} {wall:7.2f} s {processor:8.2f} s {Counted.asked / startup.TIMES:9.0f}")


if __name__ == "__main__":
    main()
