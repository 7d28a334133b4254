"""A ``.prompty`` file as a DAG of two nodes: its template is rendered, and the prompt is asked.

Source: prompt flow, "Prompty" (file format).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from driftgate.flows.environment import check_readable
from driftgate.flows.errors import DriftgateError
from driftgate.flows.yaml_text import parse

RENDER, ASK = "render", "ask"
"""Names of a prompty's nodes."""
_FILE = re.compile(r"-{3,}\n(.*)-{3,}\n(.*)", re.DOTALL)  # prompt flow's own pattern
_OF_A_FILE = re.compile(r"\$\{file:(.*)\}")
_TYPES = {str: "string", int: "int", float: "double", bool: "bool", list: "list"}
_IMAGE = re.compile(r"!\[\s*image\s*\]\(")


def prompty_dag(file: Path, root: Path) -> dict[str, Any]:
    """The DAG that stands for a prompty: ``render`` gives its turns, ``ask`` the reply.

    Inputs are those of the front matter, or the names in its sample. Outputs are, as in prompt flow, the declared
    names where the reply is to be JSON, and ``output`` where it is text.

    Parameters
    ----------
    root : Path
        Files outside of it are not read.

    Raises
    ------
    DriftgateError
        It is no prompty, reads files outside of ``root``, or needs images or tools.
    """
    front, template = _parts(file)
    model = front.get("model") or {}
    parameters = model.get("parameters") or {} if isinstance(model, dict) else {}
    if not isinstance(model, dict) or not isinstance(parameters, dict):
        raise DriftgateError(f"{file} has a model, or parameters of it, that is no mapping", "correct the file")
    if absent := [part for part in ("configuration", "parameters") if part not in model]:
        raise DriftgateError(
            f"{file} has no model.{absent[0]}, without which prompt flow does not load it",
            "write model: {api: chat, configuration: {type: openai, model: NAME}, parameters: {}}; the model under "
            "test is asked, unless the configuration names a connection",
        )
    read = {}
    for path in _files(front):
        named = (file.parent / path).resolve()
        if not named.is_relative_to(root):
            raise DriftgateError(f"{file} takes '{path}' from outside the workspace", "move it into the workspace")
        if named.is_file():
            read[path] = hashlib.sha256(named.read_bytes()).hexdigest()
    inputs = _inputs(file, front, root)
    images = [name for name, one in inputs.items() if isinstance(one, dict) and one.get("type") == "image"]
    if images or _IMAGE.search(template):
        raise DriftgateError(f"{file} puts an image into its prompt", "images are not supported: give text")
    if used := [name for name in ("tools", "functions") if parameters.get(name)]:
        raise DriftgateError(f"{file} gives its model {used[0]}", "that is not supported: ask for text or JSON")
    if model.get("response") == "all":
        raise DriftgateError(f"{file} asks for the whole response of its model", "leave out 'response: all'")
    return {
        "inputs": inputs,
        "outputs": _outputs(front.get("outputs") or {}, parameters),
        "nodes": [
            {
                "name": RENDER,
                "type": "prompt",
                "source": {"type": "code", "path": file.name},
                "inputs": {name: f"${{inputs.{name}}}" for name in inputs},
            },
            {"name": ASK, "type": "llm", "model": model, "files": read, "inputs": {"prompt": f"${{{RENDER}.output}}"}},
        ],
    }


def gives_json(parameters: Any) -> bool:
    """Whether a prompty's reply is read as JSON, as prompt flow decides it.

    Examples
    --------
    >>> gives_json({"response_format": {"type": "json_object"}}), gives_json({})
    (True, False)
    """
    wanted = parameters.get("response_format")
    return isinstance(wanted, dict) and wanted.get("type") == "json_object"


def _parts(file: Path) -> tuple[dict[str, Any], str]:
    text = file.read_text(encoding="utf-8")
    check_readable(text, str(file))
    found = _FILE.search(text)
    if found is None:
        raise DriftgateError(f"{file} is no prompty", "write front matter between two lines of ---, then the template")
    front = parse(found[1], f"the front matter of {file}")[1]
    if not isinstance(front, dict):
        raise DriftgateError(f"the front matter of {file} is no mapping", "write name, model, inputs")
    for part in ("inputs", "outputs"):
        if not isinstance(front.get(part) or {}, dict):
            raise DriftgateError(f"{file} has '{part}' that is no mapping", "correct the file")
    return front, found[2]


def _files(value: Any) -> Iterator[str]:
    """Paths that ``${file:PATH}`` names, wherever it stands."""
    if isinstance(value, str) and (found := _OF_A_FILE.match(value)):
        yield found[1]
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _files(item)


def _inputs(file: Path, front: dict[str, Any], root: Path) -> dict[str, Any]:
    if front.get("inputs"):
        return dict(front["inputs"])
    sample = front.get("sample") or {}
    if isinstance(sample, str):
        named = _OF_A_FILE.match(sample)
        path = (file.parent / (named[1] if named else sample.removeprefix("file:"))).resolve()
        if not path.is_relative_to(root) or not path.is_file():
            raise DriftgateError(f"{file}: there is no sample '{sample}' in the workspace", "correct the path")
        sample = json.loads(path.read_text(encoding="utf-8"))
    return {name: {"type": _type_of(value)} for name, value in sample.items()} if isinstance(sample, dict) else {}


def _type_of(value: Any) -> str:
    """The type of prompt flow that a sample's value has; prompt flow converts no input that only a sample declares."""
    return _TYPES.get(type(value), "object")


def _outputs(declared: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    if gives_json(parameters):
        return {name: {"reference": f"${{{ASK}.output.{name}}}"} for name in declared}
    return {"output": {"reference": f"${{{ASK}.output}}"}}
