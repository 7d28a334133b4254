"""Flows of the kinds that prompt flow's documentation teaches, in words of our own, with all the examples."""

from __future__ import annotations

from example import TOOL, Example, Fault, matched
from example_evaluations import ACCURACY, ACCURACY_FILES, CHECKLIST, QNA

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
_WEB_SUITE = {
    "flow": "web",
    "inputs": {"url": "${data.link}"},
    "tested": ["shorten", "classify"],
    "answer": "${outputs.category}",
    "primary": "as_mapping.right.match",
    "evaluators": {
        "as_mapping": {
            "right": matched("${outputs.category}"),
            "accuracy": {
                "evaluator": "flow:evals/accuracy",
                "inputs": {"groundtruth": "${data.truth}", "prediction": "${outputs.category}"},
            },
        }
    },
}
WEB = Example(
    "web classification",
    _WEB_FILES | ACCURACY_FILES,
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
        "evaluators": {"ask": {"right": matched("${outputs.output}")}},
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
