"""Prompt flow's Jinja sandbox, with a memory, without holes, and with its values told from its own text."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, Template, Undefined, meta, nodes
from jinja2.compiler import CodeGenerator
from jinja2.runtime import LoopContext
from jinja2.sandbox import SandboxedEnvironment
from jinja2.utils import Namespace, missing

from driftgate.flows.errors import DriftgateError
from driftgate.flows.turns import ROLES, OwnWord, Prompt, printed, printed_as_role, with_roles

_COUNTERS = frozenset({"index", "index0", "first", "last", "length", "revindex", "revindex0"})
_COMPOSING = (nodes.AssignBlock, nodes.CallBlock, nodes.FilterBlock, nodes.Macro)
"""What of a template composes a text before it is printed, so that a filter may be applied to the whole."""
_HEADING = re.compile(r"(?i)(?:^|\n)\s*#?\s*(?:system|user|assistant|function|tool)\s*:|name\s*:|content\s*:|tool_call")
_ROLE_HEADING = re.compile(r"(?im)^\s*#?\s*(system|user|assistant|function|tool)\s*:[^\S\n]*(?:\n|\Z)")


class _NotGiven(Undefined):
    """A variable the node does not give its template: it can be tested, looped over and defaulted, not printed."""

    __slots__ = ()

    def __str__(self) -> str:
        if self._undefined_obj is missing:
            self._fail_with_undefined_error()
        return ""


class Sandbox(SandboxedEnvironment):
    """Parses a template once, and does not ask of ``loop.index`` each time whether it is safe.

    It fails a template that prints a variable the node does not give it. Prompt flow prints nothing in its place, and
    a prompt with a hole in it measures something else.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(undefined=_NotGiven, **options)

    @cache  # noqa: B019 - one environment for each set of options lives as long as the process
    def from_string(self, source: str) -> Template:  # type: ignore[override]
        """Parse a template, or find it."""
        return super().from_string(source)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """An attribute, where it is safe."""
        if type(obj) is LoopContext and attribute in _COUNTERS:
            return getattr(obj, attribute)
        return super().getattr(obj, attribute)


sandbox = cache(Sandbox)
"""The sandbox for a set of options, made once."""


class _Composed(str):
    """A part of a prompt that a template has composed; its values are between marks already."""

    __slots__ = ()


class _Told(CodeGenerator):
    """Tells what a template itself says from what it prints of values, and where it prints a role.

    What it writes in an expression, such as ``{{ "\\n" }}`` or ``{{ "user" if first else "assistant" }}``, is no value.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._in_headings: set[int] = set()

    def _make_finalize(self) -> Any:
        return super()._make_finalize()._replace(const=str)

    def visit_Const(self, node: nodes.Const, frame: Any) -> None:  # noqa: N802 - a name of Jinja
        if isinstance(node.value, str) and node.value.strip().lower() in ROLES:
            self.write(f"environment.own_word({node.value!r})")
        else:
            super().visit_Const(node, frame)

    def visit_Output(self, node: nodes.Output, frame: Any) -> None:  # noqa: N802 - a name of Jinja
        before = ""
        for child in node.nodes:
            if _says_a_role(child) or _BEFORE_A_ROLE.search(before):
                self._in_headings.add(id(child))
            before = child.data if isinstance(child, nodes.TemplateData) else ""
        super().visit_Output(node, frame)

    def _output_child_pre(self, node: nodes.Expr, frame: Any, finalize: Any) -> None:
        if id(node) in self._in_headings:
            finalize = finalize._replace(src="environment.printed_as_role(")
        super()._output_child_pre(node, frame, finalize)


_BEFORE_A_ROLE = re.compile(r"(?:\A|\n)\s*#\s*\Z")


def _says_a_role(node: nodes.Node) -> bool:
    """Whether an expression prints what is called a role: ``turn.role``, ``turn["role"] | lower``, ``role``."""
    if isinstance(node, nodes.TemplateData):
        return False
    parts = [node, *node.find_all((nodes.Name, nodes.Getattr, nodes.Getitem))]
    names = [
        part.name
        if isinstance(part, nodes.Name)
        else part.attr
        if isinstance(part, nodes.Getattr)
        else getattr(part.arg, "value", None)
        if isinstance(part, nodes.Getitem)
        else None
        for part in parts
    ]
    return "role" in names


def _shown(value: Any) -> str:
    return value if type(value) is _Composed else printed(value)


def _shown_as_role(value: Any) -> str:
    return value if type(value) is _Composed else printed_as_role(value)


def _put_together(parts: Iterable[str]) -> str:
    return _Composed("".join(parts))


class _Marking(Sandbox):
    """Puts marks around the values that a template prints."""

    code_generator_class = _Told
    own_word, printed_as_role = OwnWord, staticmethod(_shown_as_role)
    concat = staticmethod(_put_together)

    def __init__(self, **options: Any) -> None:
        super().__init__(finalize=_shown, **options)


class _OpenMarking(Environment):
    """The same without a sandbox, for those who have switched it off."""

    code_generator_class = _Told
    own_word, printed_as_role = OwnWord, staticmethod(_shown_as_role)
    concat = staticmethod(_put_together)

    def __init__(self, **options: Any) -> None:
        super().__init__(finalize=_shown, **options)


def rendered(source: str, inputs: Mapping[str, Any]) -> str:
    """Render a template as prompt flow does; the prompt knows which parts of it are values.

    Raises
    ------
    DriftgateError
        The template changes a text that it has composed of its own words and of a value with a heading, so that nobody
        could say any more which of the two a heading is.
    jinja2.TemplateError
        The template cannot be parsed or rendered.
    """
    sandboxed = os.environ.get("PF_USE_SANDBOX_FOR_JINJA", "true").lower() != "false"
    marking, plain = _templates(source, sandboxed)
    marked = marking.render(inputs)
    prompt = Prompt(marked)
    if plain is None or (said := plain.render(inputs)) == prompt:
        return prompt
    if _headings(said) != _headings(with_roles(marked, bare=True)) or any(
        _HEADING.search(text) for text in _texts(inputs)
    ):
        raise DriftgateError(
            "the template applies a filter to what a macro or a block composes, and a value in it holds a role heading",
            "apply the filter to the value",
        )
    return str(said)


@cache
def _templates(source: str, sandboxed: bool) -> tuple[Template, Template | None]:
    """The template that marks its values, and one that does not where the marks could be in the way of a filter."""
    environments = [_environment(kind) for kind in ((_Marking, Sandbox) if sandboxed else (_OpenMarking, Environment))]
    marking, plain = (environment.from_string(source) for environment in environments)
    # A context copies them for every line, and a ChainMap is slow to copy.
    marking.globals, plain.globals = dict(marking.globals), dict(plain.globals)
    tree = environments[1].parse(source)
    composes = any(tree.find_all(_COMPOSING)) or any(loop.recursive for loop in tree.find_all(nodes.For))
    return marking, plain if composes else None


@cache
def _environment(kind: type[Environment]) -> Environment:
    return kind(trim_blocks=True, keep_trailing_newline=True)


def taken_from_outside(source: str) -> tuple[nodes.Template, list[str]]:
    """A template, parsed, and the names of what it takes from its inputs, sorted.

    A function of Jinja's, such as ``range``, is one where it is called only: what is printed of that name, looped over
    or tested is an input.

    Raises
    ------
    jinja2.TemplateSyntaxError
        It is no template.
    """
    environment = SandboxedEnvironment()
    environment.compile(source)
    functions = set(environment.globals)
    environment.globals.clear()  # else what is called as they are is not taken for an input
    tree = environment.parse(source)
    called = {id(call.node) for call in tree.find_all(nodes.Call)}
    used = [one for one in tree.find_all(nodes.Name) if one.ctx == "load" and id(one) not in called]
    names = {one.name for one in used}
    inputs = meta.find_undeclared_variables(tree) - (functions - names)
    return tree, sorted(inputs | ({"self"} & names))


class Hole(Exception):
    """A template prints what is not there, or no value."""


class _Absent(_NotGiven):
    """Whatever is not there, an input or a part of one: it can be tested and defaulted, not printed or looped over."""

    __slots__ = ()

    def _hole(self) -> Any:
        raise Hole(self._undefined_message)

    __str__ = __iter__ = __len__ = _hole


def _value(value: Any) -> Any:
    if isinstance(value, Undefined):
        return str(value)
    if callable(value) or isinstance(value, (LoopContext, Namespace, Iterator, range)):
        named = getattr(value, "__name__", "")
        raise Hole(f"{type(value).__name__}{f' {named!r}' if named else ''} is printed, which is no value")
    return value


class _Complete(Sandbox):
    """Prints nothing that is not a value."""

    def __init__(self, **options: Any) -> None:
        super().__init__(finalize=_value, **options)
        self.undefined = _Absent


def looks_into(tree: nodes.Template) -> bool:
    """Whether a template takes parts of what it is given, which a sample may lack."""
    parts = [one.node for one in tree.find_all(nodes.Getattr)] + [one.node for one in tree.find_all(nodes.Getitem)]
    return any(not (isinstance(whole, nodes.Name) and whole.name == "loop") for whole in parts)


def complete(source: str, inputs: Mapping[str, Any]) -> None:
    """See that a template prints a value wherever it prints, given these inputs.

    Raises
    ------
    Hole
        It does not; the words say what is absent.
    jinja2.TemplateError
        The template cannot be rendered.
    """
    _environment(_Complete).from_string(source).render(inputs)


def _headings(text: str) -> list[str]:
    """The roles that a text names in headings, in their order."""
    return [found[1].lower() for found in _ROLE_HEADING.finditer(text)]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    for item in items:
        yield from _texts(item)
