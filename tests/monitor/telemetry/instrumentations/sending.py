"""What every sender shares: where telemetry goes, what is asked, and the calls of OpenAI's own client.

A sender is run as a program of its own, by an interpreter that has its library: ADDRESS of the receiver, ADDRESS of the
endpoint, the questions as JSON. It prints how many calls it made and the versions of what made its spans.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from opentelemetry import _logs, trace
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

RECEIVER, ENDPOINT = sys.argv[1:3]
ASKED: dict[str, Any] = json.loads(sys.argv[3])
SYSTEM, MODEL, QUESTIONS, REFUSED = ASKED["system"], ASKED["model"], ASKED["questions"], ASKED["refused"]

spans = TracerProvider()
spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{RECEIVER}/v1/traces")))
trace.set_tracer_provider(spans)
logs = LoggerProvider()
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(f"{RECEIVER}/v1/logs")))
_logs.set_logger_provider(logs)


def messages(question: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": question}]


def refused(call: Callable[[], object]) -> None:
    """A call that is to fail."""
    try:
        call()
    except Exception as problem:
        print(f"refused with {type(problem).__name__}", file=sys.stderr)
    else:
        raise SystemExit("the endpoint was to refuse this")


def done(calls: int, *distributions: str) -> None:
    """Send what is left, and say what was done."""
    spans.shutdown()
    logs.shutdown()
    print(json.dumps({"calls": calls, "versions": {name: version(name) for name in distributions}}))


def calls_of_openai() -> int:
    """Three calls, one asynchronous, one that fails, one of Responses."""
    import openai

    client = openai.OpenAI(base_url=f"{ENDPOINT}/v1", api_key="none", max_retries=0)
    for question in QUESTIONS[:3]:
        client.chat.completions.create(model=MODEL, messages=messages(question), user="kim-7")

    async def one() -> None:
        other = openai.AsyncOpenAI(base_url=f"{ENDPOINT}/v1", api_key="none", max_retries=0)
        await other.chat.completions.create(model=MODEL, messages=messages(QUESTIONS[3]))

    asyncio.run(one())
    refused(lambda: client.chat.completions.create(model=MODEL, messages=messages(REFUSED)))
    client.responses.create(model=MODEL, instructions=SYSTEM, input=QUESTIONS[4])
    return 6
