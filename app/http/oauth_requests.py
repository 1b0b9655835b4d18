"""The parameters of OAuth's requests, and who their client is; for several routers."""

from typing import Any

from fastapi import Request
from pydantic import BaseModel

from app.core.errors import AuthorizationRequestError, OAuthError
from app.oauth import forms
from models.token import LONGEST_VALUE
from models.values import PLAIN


async def read_form(request: Request) -> dict[str, str]:
    return forms.parse(await request.body(), request.headers.get("content-type", ""))


async def read_parameters(request: Request) -> dict[str, str]:
    """Those of a form that is posted, else of the query (OpenID Connect Core 1.0, section 3.1.2.1).

    AuthorizationRequestError: they cannot be read.
    """
    try:
        if request.method == "POST":
            return await read_form(request)
        return forms.parse(request.scope["query_string"], forms.MEDIA_TYPE)
    except OAuthError as error:
        raise AuthorizationRequestError(error.detail) from None


def form_of(model: type[BaseModel]) -> dict[str, Any]:
    """The `openapi_extra` of an operation that takes this form; others are ignored, as section 3.1 asks."""
    others = {"type": "string", "maxLength": LONGEST_VALUE, "pattern": PLAIN}
    schema = model.model_json_schema() | {"additionalProperties": others}
    content = {"application/x-www-form-urlencoded": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}
