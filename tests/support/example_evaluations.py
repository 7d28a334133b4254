"""Evaluation flows of the kinds that prompt flow's documentation teaches, in words of our own."""

from __future__ import annotations

from example import TOOL, Example, Fault, matched

ACCURACY_FILES = {
    "evals/accuracy/flow.dag.yaml": """
inputs:
  groundtruth: {type: string, default: App}
  prediction: {type: string, default: App}
outputs:
  grade: {type: string, reference: "${grade.output}"}
nodes:
- name: grade
  type: python
  source: {type: code, path: grade.py}
  inputs: {groundtruth: "${inputs.groundtruth}", prediction: "${inputs.prediction}"}
- name: total
  type: python
  source: {type: code, path: total.py}
  inputs: {grades: "${grade.output}"}
  aggregation: true
""",
    "evals/accuracy/grade.py": f"{TOOL}def grade(groundtruth: str, prediction: str) -> str:\n"
    "    return 'Correct' if groundtruth.lower() == prediction.lower() else 'Incorrect'\n",
    "evals/accuracy/total.py": "from promptflow.core import log_metric, tool\n\n\n@tool\n"
    "def total(grades: list) -> float:\n    share = round(grades.count('Correct') / len(grades), 2)\n"
    "    log_metric('accuracy', share)\n    return share\n",
}

ACCURACY = Example(
    "eval classification accuracy",
    ACCURACY_FILES | {"replies.csv": "id,response\na,App\nb,Movie\nc,app\nd,App\n"},
    tuple({"id": name, "page": f"{name}쪽", "truth": "App"} for name in "abcd"),
    {
        "prompt": "{{ page }}",
        "primary": "reply.right.match",
        "evaluators": {
            "reply": {
                "right": matched("${nodes.reply.output}"),
                "eval": {
                    "evaluator": "flow:evals/accuracy",
                    "inputs": {"groundtruth": "${data.truth}", "prediction": "${nodes.reply.output}"},
                },
            }
        },
    },
    ("App", "Movie", "app", "App"),
    0.75,
    0,
    (
        Fault(
            "missing input",
            "the evaluation flow 'accuracy' takes 'prediction', which its binding does not give",
            {"evaluators.reply.eval.inputs": {"groundtruth": "${data.truth}"}},
        ),
        Fault(
            "mistyped connection",
            "names the connection 'jugde', which the workspace does not define did you mean 'judge'",
            {},
            {
                "evals/accuracy/flow.dag.yaml": (
                    "nodes:",
                    "nodes:\n- {name: say, type: llm, connection: jugde, api: chat, inputs: {deployment_name: x},"
                    " source: {type: code, path: say.jinja2}}",
                )
            },
        ),
        Fault(
            "unused model",
            "no node of the flow 'accuracy' can ask the model under test",
            {
                "prompt": None,
                "flow": "evals/accuracy",
                "evaluators": {},
                "primary": None,
                "inputs": {"groundtruth": "${data.truth}", "prediction": "${data.page}"},
            },
        ),
        Fault(
            "misnamed output",
            "its evaluator returns no such metric did you mean 'reply.eval.grade'",
            {"primary": "reply.eval.grad"},
        ),
    ),
    {"reply.eval.aggregate.accuracy": 0.75},
    {"provider": "recorded", "path": "replies.csv"},
)

_QNA = """
inputs:
  question: {type: string, default: "수도는?"}
  answer: {type: string, default: "서울"}
  ground_truth: {type: string, default: "서울"}
  metrics: {type: string, default: "similarity,length"}
outputs:
  gpt_similarity: {type: object, reference: "${grades.output.similarity}"}
  length: {type: object, reference: "${grades.output.length}"}
nodes:
- {name: wanted, type: python, source: {type: code, path: wanted.py}, inputs: {metrics: "${inputs.metrics}"}}
- name: similarity
  type: llm
  source: {type: code, path: similarity.jinja2}
  inputs:
    deployment_name: a-judge
    temperature: 0
    question: ${inputs.question}
    answer: ${inputs.answer}
    ground_truth: ${inputs.ground_truth}
  connection: judge
  api: chat
  activate: {when: "${wanted.output.similarity}", is: true}
- name: length
  type: python
  source: {type: code, path: length.py}
  inputs: {answer: "${inputs.answer}"}
  activate: {when: "${wanted.output.length}", is: true}
- name: grades
  type: python
  source: {type: code, path: grades.py}
  inputs: {similarity: "${similarity.output}", length: "${length.output}"}
- name: mean
  type: python
  source: {type: code, path: mean.py}
  inputs: {grades: "${grades.output}"}
  aggregation: true
"""
QNA = Example(
    "eval qna",
    {
        "evals/qna/flow.dag.yaml": _QNA,
        "evals/qna/wanted.py": f"{TOOL}def wanted(metrics: str) -> dict:\n"
        "    return {name: name in metrics.split(',') for name in ('similarity', 'length')}\n",
        "evals/qna/similarity.jinja2": "system:\nGive a grade from 1 to 5 for how alike the answers are.\nuser:\n"
        "question: {{question}}\nright: {{ground_truth}}\nanswer: {{answer}}\n",
        "evals/qna/length.py": f"{TOOL}def length(answer: str) -> int:\n    return len(answer)\n",
        "evals/qna/grades.py": f"import math\nimport re\n{TOOL}"
        "def grades(similarity: str = None, length: int = None) -> dict:\n"
        "    found = re.search('[1-5]', similarity or '')\n"
        "    grade = float(found[0]) if found else math.nan\n"
        "    return {'similarity': grade, 'length': math.nan if length is None else length}\n",
        "evals/qna/mean.py": "import math\n\nfrom promptflow.core import log_metric, tool\n\n\n@tool\n"
        "def mean(grades: list) -> None:\n    for name in ('similarity', 'length'):\n"
        "        known = [one[name] for one in grades if not math.isnan(one[name])]\n"
        "        if known:\n            log_metric(f'gpt_{name}', sum(known) / len(known))\n",
    },
    ({"question": "수도는 어디?", "truth": "서울"}, {"question": "내 이름은?", "truth": "하나"}),
    {
        "prompt": "{{ question }}",
        "primary": "reply.right.match",
        "evaluators": {
            "reply": {
                "right": matched("${nodes.reply.output}"),
                "qna": {
                    "evaluator": "flow:evals/qna",
                    "inputs": {
                        "question": "${data.question}",
                        "answer": "${nodes.reply.output}",
                        "ground_truth": "${data.truth}",
                        "metrics": "similarity",
                    },
                },
            }
        },
    },
    ("서울", "모릅니다"),
    0.5,
    4,
    (
        Fault(
            "missing input",
            "the evaluation flow 'qna' takes 'ground_truth', which its binding does not give",
            {
                "evaluators.reply.qna.inputs": {
                    "question": "${data.question}",
                    "answer": "${nodes.reply.output}",
                    "metrics": "similarity",
                }
            },
        ),
        Fault(
            "mistyped connection",
            "names the connection 'jugde', which the workspace does not define did you mean 'judge'",
            {},
            {"evals/qna/flow.dag.yaml": ("connection: judge", "connection: jugde")},
        ),
        Fault(
            "unused model",
            "no node of the flow 'qna' can ask the model under test",
            {
                "prompt": None,
                "flow": "evals/qna",
                "evaluators": {},
                "primary": None,
                "inputs": {"answer": "${data.truth}", "ground_truth": "${data.truth}", "metrics": "length"},
            },
        ),
        Fault(
            "misnamed output",
            "primary is 'replyy.qna.gpt_similarity'",
            {"primary": "replyy.qna.gpt_similarity"},
        ),
    ),
    {"reply.qna.aggregate.gpt_similarity": 3.0},
)

_CHECKLIST = """
from dataclasses import dataclass

from promptflow.core import OpenAIModelConfiguration, Prompty


@dataclass
class Seen:
    scores: dict
    strict: bool


class Checklist:
    def __init__(self, model_config: OpenAIModelConfiguration, strict: bool = False):
        self.model_config = model_config
        self.strict = strict

    def __call__(self, answer: str, statements: dict) -> Seen:
        scores = {}
        for name, statement in statements.items():
            prompty = Prompty.load("check.prompty", model={"configuration": self.model_config})
            scores[name] = prompty(answer=answer, statement=statement)["score"]
        return Seen(scores, self.strict)

    def __aggregate__(self, lines: list) -> dict:
        total = {}
        for line in lines:
            for name, score in line.scores.items():
                total.setdefault(name, []).append(score)
        return {f"mean_{name}": sum(scores) / len(scores) for name, scores in total.items()}
"""
CHECKLIST = Example(
    "flex eval checklist",
    {
        "evals/checklist/flow.flex.yaml": "entry: check:Checklist\n"
        "inputs: {answer: {type: string}, statements: {type: object}}\n"
        "outputs: {scores: {type: object}, strict: {type: bool}}\n"
        "init: {model_config: {type: OpenAIModelConfiguration}, strict: {type: bool, default: false}}\n"
        "environment: {python_requirements_txt: requirements.txt}\n",
        "evals/checklist/check.py": _CHECKLIST,
        "evals/checklist/check.prompty": "---\nname: check\nmodel:\n  api: chat\n"
        "  configuration: {type: openai, model: x}\n"
        "  parameters: {max_tokens: 64, response_format: {type: json_object}}\n"
        "inputs: {answer: {type: string}, statement: {type: string}}\n---\n"
        "system:\nSay as JSON how true is '{{statement}}' of the answer.\nuser:\n{{answer}}\n",
    },
    (
        {"question": "수도는?", "truth": "서울", "statements": {"polite": "공손하다", "short": "짧다"}},
        {"question": "내 이름은?", "truth": "하나", "statements": {"polite": "공손하다"}},
    ),
    {
        "prompt": "{{ question }}",
        "primary": "reply.right.match",
        "evaluators": {
            "reply": {
                "right": matched("${nodes.reply.output}"),
                "check": {
                    "evaluator": "flow:evals/checklist",
                    "inputs": {"answer": "${nodes.reply.output}", "statements": "${data.statements}"},
                    "settings": {"model_config": {"connection": "judge", "model": "a-judge"}, "strict": True},
                },
            }
        },
    },
    ("서울", "모릅니다"),
    0.5,
    5,
    (
        Fault(
            "missing input",
            "the evaluation flow 'checklist' takes 'statements', which its binding does not give",
            {"evaluators.reply.check.inputs": {"answer": "${nodes.reply.output}"}},
        ),
        Fault(
            "mistyped connection",
            "'jugde' not found",
            {"evaluators.reply.check.settings": {"model_config": {"connection": "jugde", "model": "a-judge"}}},
        ),
        Fault(
            "unused model",
            "no node of the flow 'checklist' can ask the model under test",
            {
                "prompt": None,
                "flow": "evals/checklist",
                "evaluators": {},
                "primary": None,
                "inputs": {"answer": "${data.truth}"},
                "init": {"model_config": {"connection": "judge", "model": "a-judge"}},
            },
        ),
        Fault(
            "misnamed output",
            "primary is 'reply.chek.strict' did you mean 'reply.check",
            {"primary": "reply.chek.strict"},
        ),
    ),
    {"reply.check.aggregate.mean_polite": 4.0, "reply.check.aggregate.mean_short": 2.0},
)
