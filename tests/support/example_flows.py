"""Flows of the kinds that prompt flow's documentation teaches, in words of our own: their files and their suites.

Each is what a team would bring: a flow's folder as prompt flow runs it, rows of data, a suite of ``driftgate.yaml``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chat_endpoint import Answer

TOOL = "from promptflow.core import tool\n\n\n@tool\n"
JUDGE = {"type": "open_ai", "configs": {"base_url": "${env:JUDGE_URL}"}, "secrets": {"api_key": "${env:JUDGE_KEY}"}}


@dataclass(frozen=True)
class Fault:
    """What a person gets wrong, and what they are told before anybody is asked."""

    kind: str
    """``missing input``, ``mistyped connection``, ``unused model`` or ``misnamed output``."""
    says: str
    """A pattern of the sentence."""
    suite: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the suite that are otherwise; None takes one out."""
    texts: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """By file: a text of it, and what stands in its place."""


@dataclass(frozen=True)
class Example:
    """One flow with its data."""

    name: str
    files: Mapping[str, str]
    rows: tuple[Mapping[str, Any], ...]
    suite: Mapping[str, Any]
    answers: tuple[str, ...]
    """What each row is answered, in its order."""
    correct: float
    asked: int
    """Requests of a run."""
    faults: tuple[Fault, ...]
    aggregates: Mapping[str, float] = field(default_factory=dict)
    """Scores that aggregation nodes log."""
    model: Mapping[str, Any] = field(default_factory=dict)
    """The model's settings, where it is not the service at the endpoint."""


def reply(prompt: str) -> Answer:
    """What the service answers: it reads pages, writes code, greets, grades, whatever the example asks."""
    for pattern, said in _REPLIES:
        if found := re.search(pattern, prompt, re.DOTALL):
            return Answer(found.expand(said) if "\\" in said else said)
    return Answer("?")


_REPLIES = (
    (r"grade from 1 to 5.*answer: 모릅니다", "1"),
    (r"grade from 1 to 5", "The grade is 5"),
    (r"how true is '공손하다'", '{"score": 4, "explanation": "높임말"}'),
    (r"how true is", '{"score": 2, "explanation": "길다"}'),
    (r"one category.*지도", '{"category": "App", "evidence": "Text content"}'),
    (r"one category", '{"category": "Academic", "evidence": "Both"}'),
    (r"in one sentence", "요약: 길을 찾는 지도"),
    (r"write Python.*12 \* 3", "print(12 * 3)"),
    (r"write Python", "print(7 - 2)"),
    (r"greet (\w+)", r"안녕하세요, \1 님"),
    (r"이름은 하나.*내 이름은\?", "하나"),
    (r"내 이름은\?", "모릅니다"),
    (r"수도는", "서울"),
)

_WEB = """
$schema: https://azuremlschemas.azureedge.net/promptflow/latest/Flow.schema.json
environment: {python_requirements_txt: requirements.txt}
inputs:
  url: {type: string, default: "pages/none.txt"}
outputs:
  category: {type: string, reference: "${as_mapping.output.category}"}
  evidence: {type: string, reference: "${as_mapping.output.evidence}"}
nodes:
- {name: fetch, type: python, source: {type: code, path: fetch.py}, inputs: {url: "${inputs.url}"}}
- {name: shorten, use_variants: true}
- {name: shown, type: python, source: {type: code, path: shown.py}, inputs: {}}
- name: classify
  type: llm
  source: {type: code, path: classify.jinja2}
  inputs:
    deployment_name: a-deployment
    max_tokens: 128
    temperature: 0.2
    url: ${inputs.url}
    text_content: ${shorten.output}
    examples: ${shown.output}
  connection: web_service
  api: chat
- {name: as_mapping, type: python, source: {type: code, path: as_mapping.py}, inputs: {text: "${classify.output}"}}
node_variants:
  shorten:
    default_variant_id: plain
    variants:
      plain:
        node:
          type: llm
          source: {type: code, path: shorten.jinja2}
          inputs: {deployment_name: a-deployment, text: "${fetch.output}"}
          connection: web_service
          api: chat
      polite:
        node:
          type: llm
          source: {type: code, path: shorten_politely.jinja2}
          inputs: {deployment_name: a-deployment, text: "${fetch.output}"}
          connection: web_service
          api: chat
"""
_WEB_FILES = {
    "flows/web/flow.dag.yaml": _WEB,
    "flows/web/requirements.txt": "promptflow\n",
    "flows/web/pages/map.txt": "길을 찾는 지도를 내려받으세요.",
    "flows/web/pages/paper.txt": "논문의 초록입니다.",
    "flows/web/fetch.py": f"from pathlib import Path\n{TOOL}def fetch(url: str) -> str:\n"
    "    print('reading', url)\n    return Path(url).read_text(encoding='utf-8')\n",
    "flows/web/shown.py": f"{TOOL}def shown() -> list:\n    return [{{'text': '영화', 'category': 'Movie'}}]\n",
    "flows/web/shorten.jinja2": "system:\nSay in one sentence what it is.\nuser:\n{{text}}\n",
    "flows/web/shorten_politely.jinja2": "system:\nPlease say in one sentence what it is.\nuser:\n{{text}}\n",
    "flows/web/classify.jinja2": "system:\nName one category as JSON.\n{% for e in examples %}"
    "{{e.text}}: {{e.category}}\n{% endfor %}user:\n{{url}} {{text_content if 'map' in url else '논문'}}\n",
    "flows/web/as_mapping.py": f"import json\n{TOOL}def as_mapping(text: str) -> dict:\n    return json.loads(text)\n",
}
_ACCURACY_FILES = {
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
_WEB_SUITE = {
    "flow": "web",
    "inputs": {"url": "${data.link}"},
    "tested": ["shorten", "classify"],
    "answer": "${outputs.category}",
    "primary": "as_mapping.right.match",
    "evaluators": {
        "as_mapping": {
            "right": {
                "evaluator": "normalised_match",
                "inputs": {"response": "${outputs.category}", "ground_truth": "${data.truth}"},
            },
            "accuracy": {
                "evaluator": "flow:evals/accuracy",
                "inputs": {"groundtruth": "${data.truth}", "prediction": "${outputs.category}"},
            },
        }
    },
}
WEB = Example(
    "web classification",
    _WEB_FILES | _ACCURACY_FILES,
    ({"link": "pages/map.txt", "truth": "App"}, {"link": "pages/paper.txt", "truth": "Channel"}),
    _WEB_SUITE,
    ("App", "Academic"),
    0.5,
    4,
    (
        Fault("missing input", "nobody supplies the input 'url' of the flow 'web'", {"inputs": {}}),
        Fault(
            "mistyped connection",
            "names the connection 'web_servise', which the workspace does not define did you mean 'web_service'",
            {"tested": ["classify"]},
            {"flows/web/flow.dag.yaml": ("connection: web_service", "connection: web_servise")},
        ),
        Fault("unused model", "no node of the flow 'web' can ask the model under test", {"tested": []}),
        Fault(
            "misnamed output",
            "the flow 'web' has no output 'categori' did you mean 'category'",
            {"answer": "${outputs.categori}"},
        ),
    ),
    {"as_mapping.accuracy.aggregate.accuracy": 0.5},
)

_MATHS = """
inputs:
  math_question: {type: string, default: "If a is 1, what is a?"}
outputs:
  code: {type: string, reference: "${tidy.output}"}
  result: {type: string, reference: "${run.output}"}
nodes:
- name: write
  type: llm
  source: {type: code, path: write.jinja2}
  inputs: {question: "${inputs.math_question}", max_tokens: 64}
  api: chat
- {name: tidy, type: python, source: {type: code, path: tidy.py}, inputs: {text: "${write.output}"}}
- {name: run, type: python, source: {type: code, path: run.py}, inputs: {code: "${tidy.output}"}}
"""
MATHS = Example(
    "maths to code",
    {
        "flows/maths_code/flow.dag.yaml": _MATHS,
        "flows/maths_code/write.jinja2": "system:\nwrite Python that prints the result, and nothing else.\nuser:\n"
        "{{question}}\n",
        "flows/maths_code/tidy.py": f"{TOOL}def tidy(text: str) -> str:\n    return text.strip().strip('`')\n",
        "flows/maths_code/run.py": f"import contextlib\nimport io\n{TOOL}def run(code: str) -> str:\n"
        "    said = io.StringIO()\n    with contextlib.redirect_stdout(said):\n        exec(code, {})\n"
        "    return said.getvalue().strip()\n",
    },
    ({"question": "12 * 3은?", "answer": "36"}, {"question": "7에서 2를 빼면?", "answer": "4"}),
    {
        "flow": "maths_code",
        "inputs": {"math_question": "${data.question}"},
        "answer": "${outputs.result}",
        "primary": "run.right.match",
        "evaluators": {
            "run": {
                "right": {
                    "evaluator": "normalised_match",
                    "inputs": {"response": "${nodes.run.output}", "ground_truth": "${data.answer}"},
                }
            }
        },
    },
    ("36", "5"),
    0.5,
    2,
    (
        Fault("missing input", "nobody supplies the input 'math_question'", {"inputs": {}}),
        Fault(
            "mistyped connection",
            "names the connection 'judg', which the workspace does not define did you mean 'judge'",
            {},
            {"flows/maths_code/flow.dag.yaml": ("  api: chat", "  api: chat\n  connection: judg")},
        ),
        Fault(
            "unused model",
            "no node of the flow 'maths_code' can ask the model under test",
            {},
            {
                "flows/maths_code/flow.dag.yaml": ("  api: chat", "  api: chat\n  connection: judge"),
                "flows/maths_code/run.py": ("exec(code, {})", "print(len(code))"),
            },
        ),
        Fault("misnamed output", "has no output 'answer'", {"answer": "${outputs.answer}"}),
    ),
)

CHAT = Example(
    "chat basic",
    {
        "flows/talk/flow.dag.yaml": """
inputs:
  chat_history: {type: list, is_chat_history: true, default: []}
  question: {type: string, is_chat_input: true, default: "ChatGPT는?"}
outputs:
  answer: {type: string, reference: "${chat.output}", is_chat_output: true}
nodes:
- name: chat
  type: llm
  source: {type: code, path: chat.jinja2}
  inputs: {chat_history: "${inputs.chat_history}", question: "${inputs.question}", max_tokens: 256}
  connection: ""
  api: chat
""",
        "flows/talk/chat.jinja2": "system:\n도움이 되는 비서다.\n\n{% for item in chat_history %}\nuser:\n"
        "{{item.inputs.question}}\nassistant:\n{{item.outputs.answer}}\n{% endfor %}\n\nuser:\n{{question}}\n",
    },
    (
        {
            "question": "내 이름은?",
            "chat_history": [{"inputs": {"question": "이름은 하나야."}, "outputs": {"answer": "네."}}],
            "answer": "하나",
        },
        {"question": "내 이름은?", "chat_history": [], "answer": "모릅니다"},
    ),
    {
        "flow": "talk",
        "primary": "chat.right.match",
        "evaluators": {
            "chat": {
                "right": {
                    "evaluator": "normalised_match",
                    "inputs": {"response": "${outputs.answer}", "ground_truth": "${data.answer}"},
                }
            }
        },
    },
    ("하나", "모릅니다"),
    1.0,
    2,
    (
        Fault(
            "missing input", "nobody supplies the input 'chat_history'", {"inputs": {"chat_history": "${data.turns}"}}
        ),
        Fault(
            "mistyped connection",
            "names the connection 'jugde', which the workspace does not define did you mean 'judge'",
            {},
            {"flows/talk/flow.dag.yaml": ('connection: ""', "connection: jugde")},
        ),
        Fault(
            "unused model",
            "no node of the flow 'talk' can ask the model under test",
            {},
            {"flows/talk/flow.dag.yaml": ('connection: ""', "connection: judge")},
        ),
        Fault("misnamed output", "has no output 'anser' did you mean 'answer'", {"answer": "${outputs.anser}"}),
    ),
)

ACCURACY = Example(
    "eval classification accuracy",
    _ACCURACY_FILES | {"replies.csv": "id,response\na,App\nb,Movie\nc,app\nd,App\n"},
    tuple({"id": name, "page": f"{name}쪽", "truth": "App"} for name in "abcd"),
    {
        "prompt": "{{ page }}",
        "primary": "reply.right.match",
        "evaluators": {
            "reply": {
                "right": {
                    "evaluator": "normalised_match",
                    "inputs": {"response": "${nodes.reply.output}", "ground_truth": "${data.truth}"},
                },
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
                "right": {
                    "evaluator": "normalised_match",
                    "inputs": {"response": "${nodes.reply.output}", "ground_truth": "${data.truth}"},
                },
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
                "right": {
                    "evaluator": "normalised_match",
                    "inputs": {"response": "${nodes.reply.output}", "ground_truth": "${data.truth}"},
                },
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

PROMPTY = Example(
    "prompty basic",
    {
        "flows/greet.prompty": "---\nname: greet\ndescription: Says hello.\nmodel:\n  api: chat\n  configuration:\n"
        "    type: azure_openai\n    azure_deployment: a-deployment\n    azure_endpoint: ${env:SOME_ENDPOINT}\n"
        "    connection: ''\n  parameters: {max_tokens: 128, temperature: 0.2}\n"
        "sample:\n  first_name: 하나\n  question: 안녕?\n---\n"
        "system:\n너는 greet {{first_name}} 하는 비서다.\n\nuser:\n{{question}}\n",
    },
    (
        {"first_name": "하나", "question": "안녕?", "truth": "안녕하세요, 하나 님"},
        {"first_name": "두리", "question": "누구?", "truth": "두리"},
    ),
    {
        "flow": "flows/greet.prompty",
        "primary": "ask.right.match",
        "evaluators": {
            "ask": {
                "right": {
                    "evaluator": "normalised_match",
                    "inputs": {"response": "${outputs.output}", "ground_truth": "${data.truth}"},
                }
            }
        },
    },
    ("안녕하세요, 하나 님", "안녕하세요, 두리 님"),
    0.5,
    2,
    (
        Fault("missing input", "nobody supplies the input 'first_name'", {"inputs": {"first_name": "${data.name}"}}),
        Fault(
            "mistyped connection",
            "names the connection 'jugde', which the workspace does not define did you mean 'judge'",
            {},
            {
                "flows/greet.prompty": (
                    "    azure_endpoint: ${env:SOME_ENDPOINT}\n    connection: ''",
                    "    connection: jugde",
                )
            },
        ),
        Fault(
            "unused model",
            "no node of the flow 'greet' can ask the model under test",
            {},
            {
                "flows/greet.prompty": (
                    "    azure_endpoint: ${env:SOME_ENDPOINT}\n    connection: ''",
                    "    connection: judge",
                )
            },
        ),
        Fault("misnamed output", "has no output 'reply'", {"answer": "${outputs.reply}"}),
    ),
)

EXAMPLES = (WEB, MATHS, CHAT, ACCURACY, QNA, CHECKLIST, PROMPTY)
