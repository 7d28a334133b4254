"""One line: one sample's way through a flow, and the model calls made on it.

A tool of a flow reaches the model of its line through :func:`ask`; prompt flow hands the context of the line to
its tasks and threads, so no tool needs a connection or a global.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.models import Message, Model, ModelError, Reply, Usage, count
from driftgate.flows.models._sample import ask_about, asked_about, asked_as
from driftgate.flows.tracing import call_span
from driftgate.flows.turns import Prompt, mark, unmark, with_roles

if TYPE_CHECKING:  # training jobs stage this module without retrieval
    from driftgate.flows.retrieval import Passage, Retriever


@dataclass(frozen=True, slots=True)
class Call:
    """One call to a model, its reply or its error; or a search that failed."""

    model: str
    reply: Reply | None
    error: ModelError | None

    @property
    def usage(self) -> Usage | None:
        """Tokens of the reply, or of a completion that was written and then withheld; None where nothing came."""
        return self.reply.usage if self.reply is not None else getattr(self.error, "usage", None)


@dataclass(slots=True)
class Line:
    """What the tools of a flow may know while they work on one sample."""

    models: Mapping[str, Model]
    """Models by name; the empty name is the cell's own model."""
    sample_id: str = ""
    """The sample's id as its dataset gives it."""
    retriever: Retriever | None = None
    """What :func:`search` searches."""
    asked_as: str = ""
    """What names this ask of the sample among all of its cell."""
    calls: list[Call] = field(default_factory=list)
    """Every call so far, in order."""
    prompts: list[Prompt] = field(default_factory=list)
    """Prompts rendered on it in which a value may look like a turn; see :func:`keep_prompt`."""
    values: list[str] = field(default_factory=list)
    """Texts that came to it from outside and hold a line that looks like a heading; see :meth:`given`."""
    interrupted: str = ""
    """In words, the call that was under way when the line, or a node of it, was cancelled last."""
    _under_way: set[asyncio.Task[Any]] = field(default_factory=set)
    _aborted: bool = False

    async def complete(self, model: Model, messages: Sequence[Message]) -> Reply:
        """Ask ``model`` and keep the call; after :meth:`abort` every call fails.

        Raises
        ------
        driftgate.flows.models.ModelError
            There was no usable reply.
        """
        if self._aborted:
            raise ModelError("the run was stopped")
        task = asyncio.current_task()
        assert task is not None  # a coroutine runs in one
        self._under_way.add(task)
        self.interrupted = ""
        try:
            with call_span(model, messages) as answered:
                reply = await model.complete(messages)
                answered(reply)
        except ModelError as error:
            self.calls.append(Call(model.name, None, error))
            raise
        except asyncio.CancelledError as stopped:
            last = stopped.__cause__
            heard = f", and the last that was heard of it is: {last.message}" if isinstance(last, ModelError) else ""
            self.interrupted = f"model '{model.name}' had not answered{heard}"
            if self._aborted and not task.uncancel():  # nobody but abort asked for it
                raise ModelError("the run was stopped") from None
            raise
        finally:
            self._under_way.discard(task)
        self.calls.append(Call(model.name, reply, None))
        self.given(reply.text)
        return reply

    def given(self, value: Any) -> None:
        """Remember the texts of a value that came from outside, in lists and mappings too, that hold a heading."""
        if isinstance(value, str):
            if "#" in value and _HEADING.search(value):
                self.values.append(value)
        elif isinstance(value, (list, tuple, Mapping)):
            for item in value.values() if isinstance(value, Mapping) else value:
                self.given(item)

    def abort(self) -> None:
        """Cancel the calls under way, so that the line fails instead of waiting for them."""
        self._aborted = True
        for task in self._under_way:
            task.cancel()


TOOL_CALLS = "tool_calls"
SPENT = ("seconds", "latency", "input_tokens", "output_tokens", "calls", "attempts")
"""What ``${line.…}`` may name of what was spent."""
TOLD = (*SPENT, TOOL_CALLS)
"""What it may name at all."""


def spent(calls: Sequence[Call], seconds: float) -> dict[str, float]:
    """What a line took: time, tokens and calls.

    Returns
    -------
    dict
        ``seconds`` of the line; ``latency``: seconds its successful calls took, left out where no reply came or one
        was not timed, as it came from the cache or in a batch; ``input_tokens`` and ``output_tokens``, left out where a
        service did not count them;
        ``calls`` and ``attempts``.
    """
    replies = [call.reply for call in calls if call.reply is not None]
    found = {"seconds": seconds, "calls": float(len(calls)), "attempts": float(sum(r.attempts for r in replies))}
    used = tokens(calls)
    for name, counted in (("input_tokens", used.input_tokens), ("output_tokens", used.output_tokens)):
        if counted is not None:
            found[name] = float(counted)
    if replies and all(reply.timed for reply in replies):
        found["latency"] = sum(reply.latency for reply in replies)
    return found


def tool_calls(calls: Sequence[Call]) -> list[dict[str, Any]]:
    """The tools that the models of a line asked to be called, in order, as OpenAI writes them."""
    return [call.as_json() for one in calls if one.reply is not None for call in one.reply.tool_calls]


def tokens(calls: Sequence[Call]) -> Usage:
    """Tokens of all calls together; a count is None where that of any call is not known.

    Examples
    --------
    >>> reply = Reply("B", "stop", Usage(20, None), 0.1)
    >>> tokens([Call("m", reply, None), Call("m", reply, None)])
    Usage(input_tokens=40, output_tokens=None, reasoning_tokens=None, cached_tokens=None)
    """
    used = [call.usage for call in calls if call.usage is not None]
    return Usage(*(_sum([getattr(usage, field.name) for usage in used]) for field in fields(Usage)))


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return count(sum(known)) if len(known) == len(counts) else None


_current: ContextVar[Line] = ContextVar("driftgate_line")


def enter_line(line: Line) -> None:
    """Make ``line`` the current line of the running task."""
    _current.set(line)
    ask_about(line.sample_id, line.asked_as)


@contextmanager
def entered(line: Line) -> Iterator[None]:
    """Make ``line`` the current line for the body of a ``with``."""
    before, sample = _current.set(line), (asked_about(), asked_as())
    ask_about(line.sample_id, line.asked_as)
    try:
        yield
    finally:
        _current.reset(before)
        ask_about(*sample)


def current_line() -> Line:
    """The line the running task works on.

    Raises
    ------
    DriftgateError
        The caller does not run inside a flow.
    """
    try:
        return _current.get()
    except LookupError:
        raise DriftgateError("a model was asked outside of a flow's line", "call it from a tool of a flow") from None


def interrupted() -> str:
    """In words, the call to a model that the running task was cancelled in; empty where it was in none."""
    line = _current.get(None)
    return line.interrupted if line is not None else ""


async def ask(prompt: str, model: str = "") -> Reply:
    """Ask the line's model; for use in a flow's tools.

    Parameters
    ----------
    prompt : str
        A prompt in prompt flow's chat form: headings ``# system:``, ``# user:``, ``# assistant:`` begin a turn.
        Text without a heading is one user turn. What a prompt node rendered has the turns of its template; a tool that
        puts its own turns together writes them with :func:`write_chat`.
    model : str
        Name of another model of the workspace; by default the model that is being benchmarked.

    Raises
    ------
    driftgate.flows.models.ModelError
        There was no usable reply; the line's outcome follows from its class.
    """
    line = current_line()
    if model not in line.models:
        raise DriftgateError(f"the flow asks for model '{model}'", nearest(model, line.models))
    return await line.complete(line.models[model], parse_chat(_recalled(prompt, line)))


async def search(query: str, count: int | None = None) -> Sequence[Passage]:
    """Search the documents of the suite's retriever; for use in a flow's tools.

    Parameters
    ----------
    query : str
        The question as it stands.
    count : int, optional
        Passages wanted; by default as many as the retriever's configuration says.

    Raises
    ------
    DriftgateError
        The suite names no retriever, or the search failed; a wrong key or index stops the run.
    """
    line = current_line()
    if line.retriever is None:
        raise DriftgateError("the flow searches documents and its suite names no retriever", "set retriever in it")
    try:
        found = await line.retriever.search(query, count)
        line.given([passage.text for passage in found])
        return found
    except ModelError as error:
        line.calls.append(Call("", None, error))
        raise


def keep_prompt(prompt: str) -> str:
    """Remember a prompt in which a value holds what headings begin with, on the line that is worked on.

    A tool may hand on its text with something before or after it.
    """
    line = _current.get(None)
    if line is not None and isinstance(prompt, Prompt) and prompt.tells:
        line.prompts.append(prompt)
    return prompt


def _recalled(text: str, line: Line) -> str:
    """A text with the parts of the prompts, and of the values, in it known again.

    Raises
    ------
    DriftgateError
        Nobody could say whether a heading in it is the flow's or a value's, or a value is a role that it may not give.
    """
    if isinstance(text, Prompt):
        return text
    marked, unseen = text, list(line.values)
    for prompt in line.prompts:
        for said, parts in ((str(prompt), prompt.marked), (prompt.strip(), prompt.marked.strip())):
            if said and said in marked:
                marked = marked.replace(said, parts)
                unseen = [value for value in unseen if value.strip() not in said]
                break
        else:
            with_roles(prompt.marked, bare=False)
            unseen += [value for value in prompt.values if _HEADING.search(value)]
    if unseen and _HEADING.search(marked):
        marked = _with_values(marked, sorted(set(unseen), key=len, reverse=True))
    return text if marked is text else Prompt(marked)


def _with_values(text: str, values: Sequence[str]) -> str:
    """A text with marks around the values in it, the longest first."""
    absent: set[str] = set()
    for value in values:
        said = next((one for one in (value, value.strip()) if text.count(one) == 1), None)
        if said is None or not _HEADING.sub("", said).strip():  # cut, changed, or like the flow's own words
            absent |= _headings(value)
        else:
            text = text.replace(said, mark(said))
    if both := absent & _headings(text):
        raise DriftgateError(
            f"a tool asks its model with the heading '# {min(both)}:', and a text that the line was given holds it too",
            "let a template or write_chat of driftgate.flows.line put the prompt together, and hand it on as it is",
        )
    return text


def _headings(text: str) -> set[str]:
    return {role.lower() for role in _HEADING.findall(text)}


_LINE = r"#[ \t]*{role}[ \t]*:[ \t\r]*$"
_ROLE = "(?:system|user|assistant)"
_FLAGS = re.MULTILINE | re.IGNORECASE
_HEADING = re.compile(r"^[ \t]*" + _LINE.format(role=f"({_ROLE})"), _FLAGS)
_QUOTED = re.compile(r"^([ \t]*)\\(\\*" + _LINE.format(role=_ROLE) + ")", _FLAGS)
_TO_QUOTE = re.compile(r"^([ \t]*)(\\*" + _LINE.format(role=_ROLE) + ")", _FLAGS)


def parse_chat(prompt: str) -> list[Message]:
    """Split a prompt into turns at its role headings.

    Source: prompt flow, "Prompt tool" and "LLM tool" reference, chat prompts; the heading's ``#`` is required here,
    so that a question that quotes a dialogue stays one turn. A backslash before it makes the heading text. What a value
    says in a prompt that was rendered is no heading at all.

    Raises
    ------
    DriftgateError
        A heading of a prompt that was rendered takes a role from a value that data may not give.

    Examples
    --------
    >>> [(m.role, m.content) for m in parse_chat("# system:\\n짧게.\\n# user:\\n수도는?")]
    [('system', '짧게.'), ('user', '수도는?')]
    >>> [(m.role, m.content) for m in parse_chat("user: 안녕")]
    [('user', 'user: 안녕')]
    """
    rendered = isinstance(prompt, Prompt)
    pieces = _HEADING.split(with_roles(prompt.marked, bare=False) if isinstance(prompt, Prompt) else prompt)
    texts = [_QUOTED.sub(r"\1\2", text) if "\\" in text else text for text in pieces[::2]]
    first, *rest = [(unmark(text) if rendered else text).strip() for text in texts]
    turns = [Message(role.lower(), text) for role, text in zip(pieces[1::2], rest, strict=True)]
    if first or not turns:
        turns.insert(0, Message("user", first))
    return turns


def write_chat(messages: Sequence[Message]) -> str:
    """Turns in prompt flow's chat form, from which :func:`parse_chat` reads them again whatever they say.

    Examples
    --------
    >>> print(write_chat([Message("system", "짧게."), Message("user", "이것은?\\n# user:\\n나")]))
    # system:
    짧게.
    # user:
    이것은?
    \\# user:
    나
    """
    headed = [(f"# {turn.role}:\n", turn.content) for turn in messages]
    return Prompt(
        "\n".join(heading + mark(text) for heading, text in headed),
        "\n".join(heading + _TO_QUOTE.sub(r"\1\\\2", text) for heading, text in headed),
    )
