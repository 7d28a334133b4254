"""The inputs of a line, checked and converted as the flow declares them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from json import JSONDecodeError
from typing import Any

from driftgate.flows.errors import DriftgateError


class InputNotFound(Exception):
    """An input is missing; prompt flow's name and words for it, as those below."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The input for flow is incorrect. The value for flow input '{name}' is not provided in input data. Please "
            "review your input data or remove this input in your flow if it's no longer needed."
        )


class InputTypeError(Exception):
    """An input is of the wrong type."""

    def __init__(self, name: str, kind: str) -> None:
        super().__init__(
            f"The input for flow is incorrect. The value for flow input '{name}' does not match the expected type "
            f"'{kind}'. Please change flow input type or adjust the input value in your input data."
        )


class InputParseError(Exception):
    """An input that is to be JSON is none."""

    def __init__(self, name: str, kind: str, value: Any, problem: JSONDecodeError) -> None:
        super().__init__(
            f"Failed to parse the flow input. The value for flow input '{name}' was interpreted as JSON string since "
            f"its type is '{kind}'. However, the value '{value}' is invalid for JSON parsing. Error details: "
            f"({type(problem).__name__}) {problem}. Please make sure your inputs are properly formatted."
        )


class ImageRefused(DriftgateError):
    """An input holds an image."""


class LineInputs:
    """Applies defaults and prompt flow's types; what the caller gave is never handed on to be changed.

    Parameters
    ----------
    flow : promptflow.contracts.flow.Flow or driftgate.flows.engines._dag.Flow
        The resolved flow.
    """

    def __init__(self, flow: Any) -> None:
        self._defaults = {name: one.default for name, one in flow.inputs.items() if one.default is not None}
        self._converters: dict[str, Callable[[Any], Any]] = {
            name: _converter(name, one.type) for name, one in flow.inputs.items()
        }

    def __call__(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the inputs a line begins with.

        Raises
        ------
        InputNotFound, InputTypeError, InputParseError
            An input is missing or of the wrong type.
        ImageRefused
            An input holds an image.
        """
        values = {**self._defaults, **inputs}
        if missing := next((name for name in self._converters if name not in values), None):
            raise InputNotFound(missing)
        for name, convert in self._converters.items():
            values[name] = convert(values[name])
        return values


def _converter(name: str, kind: Any) -> Callable[[Any], Any]:
    if kind.value == "string":
        return str

    def convert(value: Any) -> Any:
        try:
            made = kind.parse(value)
        except JSONDecodeError as problem:
            raise InputParseError(name, kind.value, value, problem) from problem
        except Exception as problem:
            raise InputTypeError(name, kind.value) from problem
        return copied(name, made) if kind.value in ("list", "object") else made

    return convert


def copied(name: str, value: Any) -> Any:
    """A copy of a JSON value, lists and mappings anew.

    Raises
    ------
    ImageRefused
        It holds an image.
    """
    if isinstance(value, list):
        return [item if type(item) is str else copied(name, item) for item in value]
    if isinstance(value, dict):
        if len(value) <= 2:
            refuse_image(name, value)
        return {key: item if type(item) is str else copied(name, item) for key, item in value.items()}
    return value


def refuse_image(name: str, value: Mapping[Any, Any]) -> None:
    """Refuse a mapping that is an image in either of prompt flow's two forms.

    Raises
    ------
    ImageRefused
        It is one.
    """
    if _is_image(value):
        raise ImageRefused(f"the input '{name}' holds an image", "images are not supported: give text")


def _is_image(value: Mapping[Any, Any]) -> bool:
    return value.get("type") in ("image_url", "image_file") or any(
        isinstance(key, str) and key.startswith("data:image/") for key in value
    )


def holds_image(value: Any) -> bool:
    """Whether a JSON value is or holds an image.

    Examples
    --------
    >>> holds_image([{"data:image/png;path": "a.png"}]), holds_image({"type": "text"})
    (True, False)
    """
    if isinstance(value, dict):
        return _is_image(value) or any(map(holds_image, value.values()))
    return isinstance(value, list) and any(map(holds_image, value))


class ExecutorInputs:
    """Applies the defaults and types that a flex flow or a prompty declares; what is not declared is not converted.

    Parameters
    ----------
    executor : promptflow.executor._script_executor.ScriptExecutor
        Knows the parameters and their declarations.
    """

    def __init__(self, executor: Any) -> None:
        self._executor = executor

    def __call__(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the inputs a line begins with; one that is neither declared nor given is left out.

        Raises
        ------
        promptflow.executor._errors.InputNotFound, InputTypeError, InputParseError
            A declared input is missing or of the wrong type.
        ImageRefused
            An input holds an image.
        """
        from promptflow._utils.execution_utils import apply_default_value_for_input
        from promptflow.executor.flow_validator import FlowValidator

        signature = self._executor._inputs_sign
        values = apply_default_value_for_input(signature, inputs)
        values = {name: copied(name, values[name]) for name in self._executor._inputs if name in values}
        return dict(FlowValidator._ensure_flow_inputs_type_inner(signature, values))
