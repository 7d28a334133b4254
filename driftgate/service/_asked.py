"""What is asked of the HTTP interface and cannot be: what was found, what was expected, and nothing is overlooked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from driftgate.flows.errors import cut, nearest


class Nothing(BaseModel):
    """The body of what needs no more to be said: an empty object."""

    model_config = ConfigDict(extra="forbid")


_PLACES = ("body", "query", "path", "header", "cookie")


def explain_refusals(app: FastAPI) -> None:
    """Have an application say in words what of a request it does not take."""
    app.add_exception_handler(RequestValidationError, _refuse)


async def _refuse(request: Request, problem: Exception) -> JSONResponse:
    assert isinstance(problem, RequestValidationError)
    return JSONResponse({"detail": in_words(problem.errors())}, 422)


def in_words(errors: Sequence[Mapping[str, Any]]) -> str:
    """What pydantic found wrong with a request, each in a sentence: of what was given only the beginning.

    Examples
    --------
    >>> in_words([{"type": "greater_than_equal", "loc": ("query", "limit"), "input": "0",
    ...            "msg": "Input should be greater than or equal to 1"}])
    "limit is '0': it should be greater than or equal to 1"
    >>> in_words([{"type": "missing", "loc": ("body", "until"), "input": {}, "msg": "Field required"}])
    "'until' is missing"
    """
    return "; ".join(dict.fromkeys(map(_sentence, errors)))


def _sentence(error: Mapping[str, Any]) -> str:
    place = [str(part) for part in error["loc"]]
    name = ".".join(place[1:] if place and place[0] in _PLACES else place) or "the body"
    match error["type"]:
        case "missing":
            return "the request has no body" if name == "the body" else f"'{cut(name)}' is missing"
        case "extra_forbidden":
            return f"'{cut(name)}' is not expected here"
        case "json_invalid":
            return "the body is no JSON; send an object, such as {}"
    expected = re.sub(r"^(Input|String|Value|List) should", "it should", str(error["msg"])).removeprefix(
        "Value error, "
    )
    given = error.get("input")
    found = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False, default=str)
    return f"{cut(name)} is '{cut(found)}': {expected}"


def _read_by(dependant: Dependant) -> Iterator[str]:
    """The parameters of an address that a route reads, by itself or by what it depends on."""
    yield from (field.alias for field in dependant.query_params)
    for other in dependant.dependencies:
        yield from _read_by(other)


def only_known(request: Request) -> None:
    """A route's dependency: refuses a parameter of the address that it does not read, as one that is misspelt.

    Raises
    ------
    HTTPException
        422, with the names that there are.
    """
    known = list(_read_by(request.scope["route"].dependant))
    for name in request.query_params:
        if name not in known:
            told = nearest(name, known) if known else "it takes none"
            raise HTTPException(422, f"there is no parameter '{cut(name)}' here: {told}")
