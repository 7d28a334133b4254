"""The inputs of a line, checked and converted as the flow declares them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from driftgate.flows.errors import DriftgateError


class ImageRefused(DriftgateError):
    """An input holds an image."""


class LineInputs:
    """Applies defaults and prompt flow's types; what the caller gave is never handed on to be changed.

    Parameters
    ----------
    flow : promptflow.contracts.flow.Flow
        The resolved flow.
    """

    def __init__(self, flow: Any) -> None:
        self._flow = flow
        self._defaults = {name: one.default for name, one in flow.inputs.items() if one.default is not None}
        self._converters: dict[str, Callable[[Any], Any]] = {
            name: _converter(name, one.type) for name, one in flow.inputs.items()
        }

    def __call__(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the inputs a line begins with.

        Raises
        ------
        promptflow.executor._errors.InputNotFound, InputTypeError, InputParseError
            An input is missing or of the wrong type.
        ImageRefused
            An input holds an image.
        """
        values = {**self._defaults, **inputs}
        try:
            for name, convert in self._converters.items():
                values[name] = convert(values[name])
        except DriftgateError:
            raise
        except Exception:
            from promptflow.executor.flow_validator import FlowValidator

            # The slow way, for its words.
            FlowValidator.ensure_flow_inputs_type(flow=self._flow, inputs={**self._defaults, **inputs})
            raise
        return values


def _converter(name: str, kind: Any) -> Callable[[Any], Any]:
    if kind.value == "string":
        return str
    if kind.value not in ("list", "object"):
        return kind.parse  # type: ignore[no-any-return]

    def convert(value: Any) -> Any:
        return copied(name, kind.parse(value))

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
    if value.get("type") in ("image_url", "image_file") or any(
        isinstance(key, str) and key.startswith("data:image/") for key in value
    ):
        raise ImageRefused(f"the input '{name}' holds an image", "images are not supported: give text")


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
