"""A prompt of a suite as a flow: ``prompt`` renders the template, ``reply`` asks the model and gives its words.

The flow is written below ``.driftgate/``, so that it is run, hashed and looked at as every other flow is. Its turns are
those of the template: see :mod:`driftgate.flows.turns`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from driftgate.flows import mapping
from driftgate.flows.connections import ConnectionConfig
from driftgate.flows.definition import FlowDefinition, load_flow
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.flow_files import DAG_FILE, PROMPTY
from driftgate.flows.private_files import make_folder, replace_file
from driftgate.flows.text import composed, on_disk

NAME = "prompt"
"""What such a flow is called: another wording is compared with the one before."""
RENDER, REPLY = "prompt", "reply"
"""Names of its nodes."""
_TEMPLATES = (".jinja2", ".jinja", ".j2", ".txt", ".md", PROMPTY)
_RESERVED = {"template": "prompt flow", "self": "Jinja"}
_IMAGE = re.compile(r"!\[\s*image\s*\]\(\{\{")
_FOLDER = Path(".driftgate") / "prompts"
_TOOL = '''"""Node ``reply``: the model's words, without the white space around them."""

from driftgate.flows.line import ask
from driftgate.flows.tool import tool


@tool
async def reply(prompt: str) -> str:
    return (await ask(prompt)).text.strip()
'''


@dataclass(frozen=True)
class OwnPrompt:
    """A prompt of a suite, read."""

    text: str
    where: str
    """File and line of the setting, or the file that it names."""
    file: str = ""
    """The path of a ``.prompty``, which is a flow already."""

    @property
    def variables(self) -> Sequence[str]:
        """What it prints, tests or loops over that is not its own, sorted.

        Raises
        ------
        DriftgateError
            It is no template, is beyond what a prompt may be, or names nothing: every sample would be asked the same.
        """
        from jinja2 import TemplateSyntaxError, meta

        from driftgate.flows.engines._sandbox import taken_from_outside

        try:
            parsed, found = taken_from_outside(self.text)
        except TemplateSyntaxError as problem:
            raise DriftgateError(
                f"{self.where}: the prompt is no template in its line {problem.lineno}: {problem.message}",
                "correct it; it is a Jinja template",
            ) from problem
        if any(True for _ in meta.find_referenced_templates(parsed)):
            raise DriftgateError(f"{self.where}: the prompt includes another template", "write the text into it")
        if _IMAGE.search(self.text):
            raise DriftgateError(f"{self.where}: the prompt shows an image", "images are not supported: give text")
        if reserved := next((name for name in _RESERVED if name in found), ""):
            raise DriftgateError(
                f"{self.where}: a variable of the prompt is called '{reserved}', which {_RESERVED[reserved]} keeps for "
                "itself",
                f"call it otherwise and map it in the suite: inputs: {{text: '${{data.{reserved}}}'}}",
            )
        if not found:
            raise DriftgateError(
                f"{self.where}: the prompt names no column, so that every sample would be asked the same",
                f"write {{{{ question }}}} where the question belongs; a file is named as prompts/ask{_TEMPLATES[0]}",
            )
        return found

    def check(self, inputs: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """See that it prints something of every sample wherever it prints.

        Parameters
        ----------
        inputs : iterable of tuple
            Id of a sample and what the prompt's variables are given of it.

        Raises
        ------
        DriftgateError
            Something that it prints of a variable, such as ``meta.source``, is absent from some samples, or is a
            function of Jinja's or Python's and no value.
        """
        from jinja2 import TemplateError

        from driftgate.flows.engines._sandbox import Hole, complete, looks_into, taken_from_outside

        whole = looks_into(taken_from_outside(self.text)[0])  # else what is true of the first is true of all
        given = list(islice(inputs, None if whole else 1))
        met = []
        for name, values in given:
            try:
                with suppress(TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
                    complete(self.text, values)  # what else may be wrong with it is said once it is tried
            except Hole as hole:
                met.append((name, hole))
        if met:
            some = f"{len(met):,} of {len(given):,} samples, " if len(given) > 1 else ""
            raise DriftgateError(
                f"{self.where}: the prompt would be asked with a hole in it ({some}first '{met[0][0]}'): {met[0][1]}",
                "correct the name or the data, or write what belongs there: {{ meta.source | default('unknown') }}",
            )


def read_prompt(given: str, workspace: Path, where: str) -> OwnPrompt:
    """Read a suite's prompt: the text itself, or the file of the workspace that it names.

    Raises
    ------
    DriftgateError
        It names a file that is not there, cannot be read, or lies outside the workspace.
    """
    path = given.strip()
    if "\n" in path or "{{" in path or "{%" in path or Path(path).suffix not in _TEMPLATES:
        return OwnPrompt(given, where)
    file = on_disk(workspace / path)
    if not file.resolve().is_relative_to(workspace.resolve()):
        raise DriftgateError(f"{where}: the prompt '{path}' lies outside the workspace", "move it into the workspace")
    if not file.is_file():
        raise DriftgateError(f"{where}: there is no prompt '{path}'", nearest(path, _templates(workspace)))
    if file.suffix == PROMPTY:
        return OwnPrompt("", path, file.relative_to(workspace).as_posix())
    try:
        return OwnPrompt(composed(file.read_text(encoding="utf-8-sig")), path)
    except (OSError, UnicodeDecodeError) as problem:
        raise DriftgateError(f"{where}: cannot read the prompt '{path}': {problem}", "save it as UTF-8") from problem


def _templates(workspace: Path) -> list[str]:
    """Files of the workspace, and of its folders, that could be meant."""
    found = [path.relative_to(workspace) for depth in ("*", "*/*") for path in workspace.glob(depth)]
    return [path.as_posix() for path in found if path.suffix in _TEMPLATES and not path.parts[0].startswith(".")]


def prompt_flow(
    prompt: OwnPrompt,
    workspace: Path,
    values: Callable[[str], Iterable[Any]],
    connections: Mapping[str, ConnectionConfig],
) -> FlowDefinition:
    """The flow that a prompt stands for.

    Parameters
    ----------
    values : callable
        What a variable of the prompt is given, sample by sample, by which the flow declares its type.

    Raises
    ------
    DriftgateError
        It is no template, or the flow cannot be written.
    """
    if prompt.file:
        return replace(load_flow(prompt.file, workspace, connections), name=NAME)
    names = prompt.variables
    dag = {
        "inputs": {name: {"type": declared_type(values(name))} for name in names},
        "outputs": {"answer": {"type": "string", "reference": f"${{{REPLY}.output}}"}},
        "nodes": [
            {
                "name": RENDER,
                "type": "prompt",
                "source": {"type": "code", "path": "prompt.jinja2"},
                "inputs": {name: f"${{inputs.{name}}}" for name in names},
            },
            {
                "name": REPLY,
                "type": "python",
                "source": {"type": "code", "path": "reply.py"},
                "inputs": {"prompt": f"${{{RENDER}.output}}"},
            },
        ],
    }
    folder = _written(workspace, {DAG_FILE: _yaml(dag), "prompt.jinja2": prompt.text, "reply.py": _TOOL})
    return replace(load_flow(folder.as_posix(), workspace, connections), name=NAME)


def declared_type(values: Iterable[Any]) -> str:
    """The type of prompt flow that holds all the values of a column as they are written.

    Numbers with and without decimals are an object's, which prompt flow hands on; as a ``double`` 3 would become 3.0.
    With a null among them they stay numbers, of which none may be absent.

    Examples
    --------
    >>> declared_type(["1", None]), declared_type([1, 2]), declared_type([["a"], ["b"]]), declared_type([{"a": 1}, "b"])
    ('string', 'int', 'list', 'object')
    >>> declared_type([1, 0.5]), declared_type([1, 0.5, None]), declared_type([0.5])
    ('object', 'double', 'double')
    """
    kinds = {type(value) for value in values if value is not mapping.MISSING}
    if kinds == {int, float}:
        return "object"
    kinds.discard(type(None))
    if kinds <= {str}:
        return "string"
    for allowed, name in (({bool}, "bool"), ({int}, "int"), ({int, float}, "double"), ({list}, "list")):
        if kinds <= allowed:
            return name
    return "object" if kinds & {list, dict} else "string"


def _yaml(dag: Mapping[str, Any]) -> str:
    import yaml

    return yaml.safe_dump(dag, allow_unicode=True, sort_keys=False)


def _written(workspace: Path, files: Mapping[str, str]) -> Path:
    """A folder of the workspace with these files, named by what they hold; relative to the workspace."""
    content = "\0".join(part for file in sorted(files.items()) for part in file)
    folder = _FOLDER / hashlib.sha256(content.encode(errors="surrogatepass")).hexdigest()[:16]
    target = workspace / folder
    try:
        make_folder(target)
        for name, text in files.items():
            data = text.encode(errors="replace")
            if not (target / name).is_file() or (target / name).read_bytes() != data:
                replace_file(target / name, data)
    except OSError as problem:
        raise DriftgateError(
            f"cannot write {target}, where the suite's prompt becomes a flow: {problem.strerror}",
            "let driftgate write into the workspace's .driftgate folder",
        ) from problem
    return folder
