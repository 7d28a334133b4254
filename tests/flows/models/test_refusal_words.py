"""The words of a refusal are found wherever a service puts them, and say whose concern it is."""

from __future__ import annotations

from typing import Any

import pytest
from chat_endpoint import ChatEndpoint, Status

from driftgate.flows.models import (
    ContentFiltered,
    Message,
    Model,
    ModelError,
    ModelMisconfigured,
    RateLimited,
    RequestRejected,
    Unavailable,
)

ASKED = [Message("user", "수도는?")]
LONG = "the prompt is too long: 700 tokens > 512"


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": LONG, "type": "invalid_request_error"}},
        {"object": "error", "message": LONG, "type": "BadRequestError", "param": None, "code": 400},
        {"detail": LONG},
        {"detail": [{"loc": [], "msg": LONG, "type": "value_error"}]},
        {"detail": {"error": {"message": LONG}}},
        {"error": LONG, "error_type": "validation"},
        {"timestamp": 1, "status": 400, "error": "Bad Request", "message": LONG, "path": "/v1"},
        {"type": "error", "error": {"type": "invalid_request_error", "message": LONG}},
        [{"error": {"code": 400, "message": LONG, "status": "INVALID_ARGUMENT"}}],
        {"errors": [{"message": LONG}]},
        {"statusCode": 400, "message": LONG},
        {"type": "about:blank", "title": "Bad Request", "detail": LONG, "status": 400},
        {"error": {"message": "Provider returned error", "metadata": {"raw": f'{{"error": {{"message": "{LONG}"}}}}'}}},
        {"msg": LONG},
        f"<html><head><style>p {{}}</style></head><body><p>{LONG}</p></body></html>".encode(),
        LONG.encode(),
    ],
)
async def test_the_words_are_found_wherever_they_stand(model: Model, endpoint: ChatEndpoint, body: Any) -> None:
    endpoint.default = Status(400, body)
    with pytest.raises(RequestRejected) as refused:
        await model.complete(ASKED)
    assert refused.value.message.startswith("tested: HTTP 400") and refused.value.message.endswith(LONG)
    assert "style" not in refused.value.message


def code(value: str, message: str = "no") -> dict[str, Any]:
    return {"error": {"code": value, "message": message}}


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (Status(400, code("invalid_prompt")), ContentFiltered),
        (Status(400, code("content_policy_violation")), ContentFiltered),
        (Status(400, code("data_inspection_failed")), ContentFiltered),
        (Status(400, {"error": {"innererror": {"code": "ResponsibleAIPolicyViolation"}}}), ContentFiltered),
        (Status(403, {"error": {"code": 403, "message": "x", "metadata": {"flagged_input": "…"}}}), ContentFiltered),
        (Status(429, code("insufficient_quota")), ModelMisconfigured),
        (Status(429, {"error": {"type": "insufficient_quota", "code": None}}), ModelMisconfigured),
        (Status(402, {"error": {"message": "Insufficient Balance"}}), ModelMisconfigured),
        (Status(400, {"error": {"message": "Your credit balance is too low"}}), ModelMisconfigured),
        (Status(403, {"statusCode": 403, "message": "Out of call volume quota."}), ModelMisconfigured),
        (Status(429, {"error": {"message": "You exceeded your current quota"}}), ModelMisconfigured),
        (Status(429, {"error": {"message": "You exceeded your current quota. Please retry in 7s."}}), RateLimited),
        (Status(429, {"error": {"message": "You exceeded your current quota"}}, {"Retry-After": "7"}), RateLimited),
        (Status(400, code("OperationNotSupported")), ModelMisconfigured),
        (Status(400, code("model_decommissioned")), ModelMisconfigured),
        (Status(400, code("x", "The model `old` does not exist")), ModelMisconfigured),
        (Status(400, code("x", "old-1 is not a valid model ID")), ModelMisconfigured),
        (Status(400, code("x", "the model's context window does not hold this")), RequestRejected),
        (Status(400, code("x", "the file you name does not exist")), RequestRejected),
        (Status(409, code("conflict")), Unavailable),
        (Status(425, b""), Unavailable),
        (Status(529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}), Unavailable),
    ],
)
async def test_whose_concern_a_refusal_is(
    model: Model, endpoint: ChatEndpoint, step: Status, error: type[ModelError]
) -> None:
    endpoint.default = step
    with pytest.raises(ModelError) as refused:
        await model.complete(ASKED)
    assert type(refused.value) is error
    assert refused.value.remedy or not isinstance(refused.value, ModelMisconfigured)
