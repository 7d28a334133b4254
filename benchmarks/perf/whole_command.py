"""How long ``driftgate bench`` takes from shell to shell, beside lm-evaluation-harness on the same questions.

Run from the project's root, beside ``../shared``::

    python -m benchmarks.perf.whole_command [--questions 4000] [--in-flight 64] [--latency-ms 50] [--lm-eval PYTHON]

It starts the replay endpoint on a loopback port and asks it KMMLU questions: by ``driftgate bench`` in a workspace of
its own (the shipped ``multiple_choice`` flow, report and ledger on), by a bare aiohttp loop in this process, and, where
the interpreter of an environment that has ``lm-eval[api]`` is given, by lm-evaluation-harness with a task of the same
questions and its cache off. Each is run once before it is timed, so that the endpoint has seen its prompts; then they
take turns, and medians are printed beside what the latency alone takes.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from benchmarks.perf.throughput import MODEL, bare_loop, kmmlu, replay_endpoint

COLUMNS = {"choices": ["A", "B", "C", "D"]}
TASK = """\
task: own_kmmlu
dataset_path: csv
dataset_kwargs: {{data_files: {{test: "{path}"}}}}
test_split: test
output_type: generate_until
doc_to_text: "{{{{question}}}}\\nA. {{{{A}}}}\\nB. {{{{B}}}}\\nC. {{{{C}}}}\\nD. {{{{D}}}}\\n정답:"
doc_to_target: "{{{{answer}}}}"
generation_kwargs: {{until: ["Q:"], do_sample: false, temperature: 0.0, max_gen_toks: 32}}
metric_list: [{{metric: exact_match, aggregation: mean, higher_is_better: true}}]
"""


def write_workspace(folder: Path, base: str, in_flight: int) -> None:
    """A workspace with one model, the questions and a suite."""
    config = {
        "version": 1,
        "models": {
            "m": {
                "provider": "openai",
                "endpoint": f"{base}/v1",
                "model": MODEL,
                "in_flight": in_flight,
                "timeout": 600,
            }
        },
        "datasets": {"own": {"kind": "csv", "path": "questions.csv", "answer_as": "letter", "columns": COLUMNS}},
        "suites": {"all": {"models": ["m"], "datasets": ["own"], "variants": ["zero_shot"], "max_failed": 1.0}},
    }
    (folder / "driftgate.yaml").write_text(json.dumps(config), encoding="utf-8")


def write_questions(path: Path, questions: int) -> list[str]:
    """KMMLU questions that stand alone and have no two equal choices, as a CSV; returns the bare loop's prompts."""
    seen: dict[str, Sequence[str]] = {}
    for sample in kmmlu().samples:
        if len(set(sample.data["choices"])) < len(sample.data["choices"]):
            continue
        key = "\n".join([sample.data["question"], *sample.data["choices"]])
        seen.setdefault(key, [sample.data["question"], *sample.data["choices"], sample.data["answer"]])
        if len(seen) == questions:
            break
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["question", "A", "B", "C", "D", "answer"])
        writer.writerows(seen.values())
    return list(seen)


def in_shell(command: Sequence[str | Path], folder: Path) -> None:
    """Run a command to its end.

    Raises
    ------
    SystemExit
        It fails.
    """
    done = subprocess.run([str(part) for part in command], cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{command[0]} ended with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")


def timed(work: Callable[[], None]) -> float:
    """Seconds that ``work`` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=4000)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--latency-ms", type=float, default=50.0)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--lm-eval", type=Path, help="the interpreter of an environment that has lm-eval[api]")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, replay_endpoint(options.latency_ms) as base:
        folder = Path(name)
        prompts = write_questions(folder / "questions.csv", options.questions)
        write_workspace(folder, base, options.in_flight)
        (folder / "task.yaml").write_text(TASK.format(path=folder / "questions.csv"), encoding="utf-8")
        url = f"model={MODEL},base_url={base}/v1/chat/completions,num_concurrent={options.in_flight},max_retries=3"
        harness = [
            *(options.lm_eval, "-m", "lm_eval", "--model", "local-chat-completions", "--model_args", url),
            *("--tasks", "own_kmmlu", "--include_path", folder, "--apply_chat_template"),
        ]
        bench = [sys.executable, "-m", "driftgate", "bench", "all"]
        ways: dict[str, Callable[[], None]] = {
            "bare loop": lambda: asyncio.run(bare_loop(base, prompts, options.in_flight)),
            "driftgate bench": lambda: in_shell(bench, folder),
        }
        if options.lm_eval:
            ways["lm-eval"] = lambda: in_shell(harness, folder)
        taken: dict[str, list[float]] = {way: [] for way in ways}
        for turn in range(options.turns + 1):
            for way, work in ways.items():
                seconds = timed(work)
                if turn:
                    taken[way].append(seconds)
    bound = len(prompts) / options.in_flight * options.latency_ms / 1000
    print(f"{len(prompts)} questions, {options.in_flight} in flight, {options.latency_ms:g} ms: {bound:.1f} s at least")
    for way, all_seconds in taken.items():
        print(f"  {way:<18}{median(all_seconds):6.1f} s ({min(all_seconds):.1f} to {max(all_seconds):.1f})")
    if "lm-eval" in taken:
        print(f"  driftgate takes {median(taken['driftgate bench']) / median(taken['lm-eval']):.2f} of lm-eval's time")


if __name__ == "__main__":
    main()
