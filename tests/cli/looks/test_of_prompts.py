"""Looks at prompts: what the answers to the same questions hang on, and never quiet where nobody answered."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from pathlib import Path

import pytest
import yaml
from chat_endpoint import Answer, ChatEndpoint, Step
from looks import DOWN, UNAVAILABLE, change

from driftgate.ledger import open_ledger
from driftgate.monitor.watch import alerts_of, looks_of

QUESTIONS = 24
_CHOICE = re.compile(r"^([A-J])\. (.*)$", re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path, endpoint: ChatEndpoint) -> Path:
    """Twenty-four questions in two slices, the right choice anywhere; a look at their prompts every day."""
    lines = []
    for n in range(QUESTIONS):
        choices = [f"{name} {n}" for name in ("사과", "포도", "감자", "보리")]
        asked = {"id": f"q{n}", "question": f"창고 {n}번에 보관된 물품은?", "choices": choices, "answer": "ABCD"[n % 4]}
        lines.append(json.dumps(asked | {"category": "앞" if n < 12 else "뒤"}, ensure_ascii=False))
    (tmp_path / "asked.jsonl").write_text("\n".join(lines), "utf-8")
    model = {"provider": "openai", "endpoint": f"{endpoint.url}/v1", "model": "gpt-test", "attempts": 1}
    workspace = {
        "version": 1,
        "models": {"live": model, "writer": {**model, "model": "gpt-writer"}},
        "datasets": {"asked": {"kind": "jsonl", "path": "asked.jsonl"}},
        "champions": {"assistant": "live"},
        "monitors": {
            "watch": {
                "champion": "assistant",
                "canaries": {"dataset": "asked", "variant": "terse"},
                "prompt_drift": {
                    "every_days": 1,
                    "repeats": 3,
                    "otherwise": 1,
                    "perturbations": ["option_order", "whitespace"],
                },
                "false_alarms_per_year": 10,
            }
        },
    }
    (tmp_path / "driftgate.yaml").write_text(yaml.safe_dump(workspace, allow_unicode=True), encoding="utf-8")
    endpoint.default = knows
    return tmp_path


@pytest.fixture
def ledger(folder):
    opened = open_ledger(".driftgate/ledger.db", folder)
    yield opened
    opened.close()


def number(prompt: str) -> int:
    return int(re.findall(r"사과 (\d+)|(\d+)\s*번", prompt)[-1][0] or re.findall(r"(\d+)\s*번", prompt)[-1])


def letter_of(prompt: str, place: int) -> str:
    """The letter under which the choice stands that stood at a place before anybody moved it."""
    wanted = ("사과", "포도", "감자", "보리")[place % 4]
    return next(letter for letter, text in _CHOICE.findall(prompt) if text.startswith(wanted))


def knows(prompt: str) -> Step:
    return Answer(letter_of(prompt, number(prompt) % 4))


class Unsteady:
    """Right in most of its answers to every third question, and each time by chance: a model at a temperature."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def __call__(self, prompt: str) -> Step:
        n = number(prompt)
        return Answer(letter_of(prompt, n + (n % 3 == 0 and self.random.random() < 0.4)))


def prompts(cli, folder, *more):
    return cli("monitor", "prompt-drift", "watch", "-w", folder, *more)


def newest(ledger):
    return next(row for row in looks_of(ledger, "watch") if row.of == "prompts")


def by_signal(row):
    return {finding["signal"]: finding for finding in row.findings}


def test_a_steady_model_becomes_its_reference_and_is_then_quiet(cli, folder, ledger) -> None:
    for number_ in (1, 2):
        done = prompts(cli, folder)
        assert done.code == 0, done.out + done.err
        assert f"look {number_} of the 2 that are the reference" in done.out
    done = prompts(cli, folder)
    assert (done.code, newest(ledger).conclusion.result, newest(ledger).number) == (0, "quiet", 1), done.out
    found = by_signal(newest(ledger))
    assert set(found) == {
        "repeat_agreement",
        "semantic_entropy",
        "answer_churn",
        "prompt_accuracy",
        "sensitivity_option_order",
        "sensitivity_whitespace",
    }
    for finding in found.values():
        seen = finding["everywhere"]
        assert (seen["effect"], seen["n_current"], finding["p_value"]) == (0.0, QUESTIONS, 1.0)
        assert set(finding["slices"]) == {"앞", "뒤"}
    assert found["prompt_accuracy"]["everywhere"]["current_value"] == 1.0


def test_a_model_that_is_unsteady_is_not_called_sensitive(cli, folder, endpoint, ledger) -> None:
    endpoint.default = Unsteady(7)
    for _ in range(3):
        done = prompts(cli, folder)
        assert done.code == 0, done.out + done.err
    found = by_signal(newest(ledger))
    assert found["repeat_agreement"]["everywhere"]["current_value"] < 0.95
    # Its answers differ when the choices are moved, and no oftener than when nothing is.
    order = found["sensitivity_option_order"]["everywhere"]
    assert order["current_value"] > 0.05 and order["p_value"] > 0.01


def test_a_model_that_likes_a_place_is_found_and_then_only_if_it_gets_worse(cli, folder, endpoint, ledger) -> None:
    def likes_the_first(prompt: str) -> Step:
        return Answer("A") if number(prompt) % 3 == 0 else knows(prompt)

    endpoint.default = likes_the_first
    done = prompts(cli, folder)
    assert done.code == 1, done.out + done.err
    (alert,) = [row.alert for row in alerts_of(ledger)]
    assert (alert.signal, alert.moved, alert.cause) == ("sensitivity_option_order", "rose", "model")
    assert alert.effect_low > 0
    explained = cli("monitor", "explain", "latest", "-w", folder)
    assert explained.code == 0 and "sensitivity_option_order +" in explained.out and "points" in explained.out
    # What the reference is known for is no news in later looks, and more of it is.
    assert [prompts(cli, folder).code for _ in range(3)] == [0, 0, 0]
    endpoint.default = lambda prompt: Answer("A") if number(prompt) % 3 < 2 else knows(prompt)
    assert prompts(cli, folder).code == 1
    assert "sensitivity_option_order" in {row.alert.signal for row in alerts_of(ledger)}
    assert "sensitivity_option_order" in newest(ledger).conclusion.reason


def test_answers_that_changed_in_time_are_counted_as_lost_gained_and_otherwise_wrong(
    cli, folder, endpoint, ledger
) -> None:
    endpoint.default = lambda prompt: Answer(letter_of(prompt, number(prompt) + (number(prompt) % 8 < 2)))
    for _ in range(2):
        prompts(cli, folder)

    def later(prompt: str) -> Step:
        n = number(prompt)
        # Of eight questions: one gained, one wrong in another way, two lost, four as they were.
        return Answer(letter_of(prompt, n + {0: 0, 1: 2, 2: 1, 3: 1}.get(n % 8, 0)))

    endpoint.default = later
    assert prompts(cli, folder).code == 1
    found = by_signal(newest(ledger))
    detail = found["prompt_accuracy"]["everywhere"]["detail"]
    assert (detail["lost"], detail["gained"], detail["changed_but_equal"]) == (6, 3, 3)
    assert found["answer_churn"]["everywhere"]["effect"] == pytest.approx(0.5)
    assert {"answer_churn"} <= {row.alert.signal for row in alerts_of(ledger)}
    assert found["repeat_agreement"]["everywhere"]["effect"] == 0.0


def test_a_slice_that_became_unsteady_is_named(cli, folder, endpoint, ledger) -> None:
    for _ in range(2):
        prompts(cli, folder)
    turns = random.Random(3)

    def dithers(prompt: str) -> Step:
        n = number(prompt)
        return Answer(letter_of(prompt, n + (turns.randrange(4) if n >= 12 else 0)))

    endpoint.default = dithers
    assert prompts(cli, folder).code == 1
    moved = {row.alert.signal: row.alert for row in alerts_of(ledger)}
    assert moved["repeat_agreement"].slices == moved["semantic_entropy"].slices == ("뒤",)
    assert moved["repeat_agreement"].moved == "fell"


@pytest.mark.parametrize("what", DOWN)
def test_an_endpoint_that_does_not_answer_is_never_quiet(cli, folder, endpoint, ledger, what) -> None:
    for _ in range(2):
        prompts(cli, folder)
    endpoint.default = DOWN[what]
    done = prompts(cli, folder)
    assert done.code == 4, done.out + done.err
    assert newest(ledger).conclusion.result == "unmeasurable" and newest(ledger).conclusion.reason
    alerts = cli("monitor", "alerts", "-w", folder)
    assert alerts.code == 4
    assert re.search(r"watch prompts: unmeasurable", alerts.out)


@pytest.mark.parametrize("answered", [0, 1])
def test_repeats_that_are_missing_are_unmeasurable(cli, folder, endpoint, ledger, answered) -> None:
    for _ in range(2):
        prompts(cli, folder)
    seen: Counter[str] = Counter()

    def tires(prompt: str) -> Step:
        """Answers each prompt so many times, and every other form."""
        seen[prompt] += 1
        return knows(prompt) if seen[prompt] <= answered else UNAVAILABLE

    endpoint.default = tires
    assert prompts(cli, folder).code == 4
    assert "answers are missing" in newest(ledger).conclusion.reason


def test_one_more_failed_call_never_improves_a_look(cli, folder, endpoint, ledger) -> None:
    for _ in range(2):
        prompts(cli, folder)
    codes = []
    for failing in (0, 5, 10):

        def wrong_or_down(prompt: str, failing: int = failing) -> Step:
            n = number(prompt)
            if n < 10:
                return UNAVAILABLE if n < failing else Answer(letter_of(prompt, n + 1))
            return knows(prompt)

        endpoint.default = wrong_or_down
        codes.append(prompts(cli, folder).code)
    assert codes[0] == 1 and codes[-1] == 4
    assert codes == sorted(codes)


def test_questions_that_are_asked_no_more_are_missed(cli, folder, ledger) -> None:
    for _ in range(2):
        prompts(cli, folder)
    done = prompts(cli, folder, "--limit", "12")
    assert done.code == 4
    assert "12 questions of the reference are not asked any more" in newest(ledger).conclusion.reason


def test_too_few_questions_are_inconclusive(cli, folder, ledger) -> None:
    done = prompts(cli, folder, "--limit", "6", "--repeats", "2")
    assert done.code == 3
    assert "6 questions are too few" in newest(ledger).conclusion.reason


def test_a_form_that_applies_to_nothing_is_said(cli, folder, ledger) -> None:
    change(folder, lambda config: config["monitors"]["watch"]["prompt_drift"].update(perturbations=["few_shot"]))
    assert prompts(cli, folder).code == 3
    assert "few_shot applies to 0 questions" in newest(ledger).conclusion.reason


def test_the_monitor_looks_at_prompts_when_they_are_due(cli, folder, endpoint, ledger) -> None:
    done = cli("monitor", "check", "watch", "-w", folder)
    assert done.code == 0, done.out + done.err
    assert [row.of for row in looks_of(ledger, "watch")] == ["prompts", "canaries"]
    asked = len(endpoint.requests)
    assert cli("monitor", "check", "watch", "-w", folder).code == 0
    assert [row.of for row in looks_of(ledger, "watch")] == ["canaries", "prompts", "canaries"]
    assert len(endpoint.requests) == asked + QUESTIONS


def test_a_prompt_is_compared_with_the_version_before(cli, folder, endpoint, ledger) -> None:
    change(
        folder,
        lambda config: config["monitors"]["watch"]["prompt_drift"].update(before={"variant": "zero_shot"}),
    )

    def worse_when_terse(prompt: str) -> Step:
        terse = not re.search(r"다음|정답|알파벳", prompt.splitlines()[0])
        return Answer(letter_of(prompt, number(prompt) + (terse and number(prompt) % 4 == 0)))

    endpoint.default = worse_when_terse
    assert prompts(cli, folder).code == 1
    found = by_signal(newest(ledger))
    assert found["template_accuracy"]["everywhere"]["effect"] == pytest.approx(-0.25)
    assert found["template_churn"]["everywhere"]["effect"] == pytest.approx(0.25)
    assert {row.alert.signal for row in alerts_of(ledger)} == {"template_accuracy"}


def test_questions_are_paraphrased_once_and_only_where_the_meaning_stays(cli, folder, endpoint, ledger) -> None:
    change(
        folder,
        lambda config: config["monitors"]["watch"]["prompt_drift"].update(
            paraphraser="writer", perturbations=["whitespace"]
        ),
    )
    written = []

    def writes(prompt: str) -> Step:
        if "other words" in prompt:
            n = number(prompt)
            written.append(n)
            # A number that changes is no paraphrase.
            return Answer(f"{n + (n < 4)}번 창고에 들어 있는 물품은 무엇인가?")
        return knows(prompt)

    endpoint.default = writes
    assert prompts(cli, folder).code == 0
    assert sorted(written) == list(range(QUESTIONS))
    assert prompts(cli, folder).code == 0
    assert sorted(written[QUESTIONS:]) == [0, 1, 2, 3]
    found = by_signal(newest(ledger))["sensitivity_paraphrase"]["everywhere"]
    assert (found["n_current"], found["effect"]) == (QUESTIONS - 4, 0.0)
