import json
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, ValidationError

from app.core import errors, field_errors
from app.http import problems
from models.problem import Problem
from tests.support.small_app import client_of, make_app


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    body = Problem.model_validate_json(response.content)
    assert (body.status, body.code, body.type) == (status, code, f"urn:roster:problem:{code}")
    assert body.request_id == response.headers["x-request-id"]
    return body.model_dump()


async def post(body: object, path: str = "/users") -> httpx.Response:
    async with client_of(make_app()) as client:
        return await client.post(path, json=body)


async def get(path: str) -> httpx.Response:
    async with client_of(make_app()) as client:
        return await client.get(path)


async def test_an_error_of_ours_keeps_its_status_code_and_detail() -> None:
    body = problem(await get("/users/7"), 404, "user_not_found")
    assert (body["title"], body["detail"], body["errors"]) == ("No such user", "No user has the id 7.", [])


async def test_bad_fields_are_pointed_at_and_told_what_would_be_right() -> None:
    person = {
        "name": 5,
        "email": "x@y",
        "profile": {"age": False, "addresses": [{"zipcode": "1" * 11}, {}]},
        "a/b~c": 1,
    }
    body = problem(await post(person), 422, "validation_failed")
    assert body["detail"] == "6 values are not valid."
    assert {(error["pointer"], error["detail"]) for error in body["errors"]} == {
        ("/name", "Must be a string."),
        ("/email", "Must be an e-mail address, such as ana@example.com."),
        ("/profile/age", "Must be an integer."),
        ("/profile/addresses/0/zipcode", "Must have at most 10 characters."),
        ("/profile/addresses/1/zipcode", "This is required."),
        ("/a~1b~0c", "There is no field of this name here."),
    }


async def test_tags_of_unions_are_not_part_of_a_pointer() -> None:
    operations = [
        {"op": "create", "user": {"email": "a@example.com"}},
        {"op": "create", "user": {"name": "A", "profile": {"age": -1}}},
        {"op": "delete", "id": 1},
        {"op": "drop"},
        {},
    ]
    body = problem(await post({"operations": operations}, "/users:batch"), 422, "validation_failed")
    assert [(error["pointer"], error["detail"]) for error in body["errors"]] == [
        ("/operations/0/user/name", "This is required."),
        ("/operations/1/user/profile/age", "Must be at least 0."),
        ("/operations/2/id", "Must be a string."),
        ("/operations/3", "Its field 'op' must be one of 'create', 'delete'."),
        ("/operations/4", "Its field 'op' is required."),
    ]


@pytest.mark.parametrize(
    ("document", "pointer"), [([], ""), ("text", ""), ({"name": "A", "profile": []}, "/profile")]
)
async def test_a_value_that_should_be_an_object_is_pointed_at(document: object, pointer: str) -> None:
    body = problem(await post(document), 422, "validation_failed")
    assert body["errors"] == [{"detail": "Must be an object.", "pointer": pointer, "parameter": None}]


async def test_null_is_not_a_person() -> None:
    async with client_of(make_app()) as client:
        reply = await client.post("/users", content=b"null", headers={"content-type": "application/json"})
    body = problem(reply, 422, "validation_failed")
    assert body["errors"] == [{"detail": "Must be an object.", "pointer": "", "parameter": None}]


async def test_a_bad_query_parameter_is_named() -> None:
    body = problem(await get("/users?limit=1001"), 422, "validation_failed")
    error = {"detail": "Must be at most 1000.", "pointer": None, "parameter": "limit"}
    assert (body["detail"], body["errors"]) == ("1 value is not valid.", [error])


async def test_neither_a_password_nor_a_huge_value_comes_back() -> None:
    person = {"name": {"x": "Bulky" * 1000}, "password": "hunter2", "email": "Bulky" * 100}
    response = await post(person)
    body = problem(response, 422, "validation_failed")
    assert len(body["errors"]) == 3
    assert "hunter2" not in response.text
    assert "Bulky" not in response.text


async def test_an_unknown_field_with_a_megabyte_of_name_is_cut() -> None:
    response = await post({"operations": [], "k" * 10**6: 1}, "/users:batch")
    body = problem(response, 422, "validation_failed")
    assert body["errors"][0]["pointer"] == "/" + "k" * 63 + "…"
    assert len(response.content) < 1000


async def test_a_thousand_bad_fields_are_counted_and_fifty_listed() -> None:
    body = problem(await post({"name": "A"} | {f"x{n}": 1 for n in range(1000)}), 422, "validation_failed")
    assert body["detail"] == "1000 values are not valid; the first 50 are listed."
    assert len(body["errors"]) == 50


async def test_an_unknown_path_is_a_problem() -> None:
    problem(await get("/nowhere"), 404, "not_found")
    problem(await get("/users/7/"), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/users/7", "DELETE, GET, HEAD, PATCH"),
        ("PUT", "/v2/users/7", "DELETE, GET, HEAD, PATCH"),
        ("TRACE", "/users", "GET, HEAD, POST"),
        ("OPTIONS", "/users:batch", "POST"),
        ("BREW", "/health/live", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_told_all_right_ones(method: str, path: str, allow: str) -> None:
    async with client_of(make_app()) as client:
        response = await client.request(method, path)
    body = problem(response, 405, "method_not_allowed")
    assert response.headers["allow"] == allow
    assert body["detail"] == f"This path accepts {allow}."


@pytest.mark.parametrize("path", ["/mongo/away", "/mongo/slow", "/mongo/stepped_down", "/redis"])
async def test_a_backend_that_does_not_answer_is_503_with_retry_after(path: str) -> None:
    response = await get(path)
    body = problem(response, 503, "unavailable")
    assert response.headers["retry-after"] == "1"
    assert body["detail"] in (
        "MongoDB did not answer in time: try again.",
        "Redis did not answer in time: try again.",
    )


async def test_an_unforeseen_word_of_mongodb_is_503_and_repeats_nothing() -> None:
    response = await get("/mongo/duplicate")
    assert problem(response, 503, "unavailable")["detail"] == "MongoDB refused the operation: try again."
    assert response.headers["retry-after"] == "1"
    assert "ana@example.com" not in response.text


async def test_an_unforeseen_error_says_nothing_but_its_request_id() -> None:
    response = await get("/broken")
    body = problem(response, 500, "internal_error")
    assert body["detail"] == "Something broke on our side; the request_id finds it in the log."
    assert "ana@example.com" not in response.text


async def test_without_the_middleware_an_unforeseen_error_is_the_same_problem() -> None:
    app = make_app()
    app.user_middleware.clear()
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://roster") as client:
        response = await client.get("/broken")
    body = Problem.model_validate_json(response.content)
    assert (response.status_code, body.code, body.request_id) == (500, "internal_error", "-")


async def test_a_bare_http_error_of_any_status_is_a_problem() -> None:
    assert problems.status_response(304, None).body == b""
    teapot = problems.status_response(418, {"X-Tea": "green"})
    content = Problem.model_validate_json(bytes(teapot.body))
    assert (content.code, content.title, teapot.headers["x-tea"]) == ("im_a_teapot", "I'm a Teapot", "green")
    assert (
        Problem.model_validate_json(bytes(problems.status_response(499, None).body)).code == "unknown_error"
    )


def test_a_detail_with_half_a_character_or_too_much_text_is_still_sent() -> None:
    reply = problems.problem_response(errors.UserNotFoundError("\ud800" + "x" * 1000))
    assert Problem.model_validate_json(bytes(reply.body)).detail == "?" + "x" * 499


class Model(BaseModel):
    tags: list[int | str]


def test_a_failed_validation_below_the_routers_gives_the_same_field_errors() -> None:
    document = {"tags": [1, None]}
    with pytest.raises(ValidationError) as caught:
        Model.model_validate(document)
    assert field_errors.from_validation(caught.value, document) == (
        errors.FieldError("Must be an integer.", pointer="/tags/1"),
        errors.FieldError("Must be a string.", pointer="/tags/1"),
    )


def operation(app: FastAPI, path: str, method: str) -> dict[str, Any]:
    replies: dict[str, Any] = app.openapi()["paths"][path][method]["responses"]
    return replies


def test_the_openapi_document_shows_each_error_reply_with_an_example() -> None:
    app = make_app()
    replies = operation(app, "/users", "post")
    assert set(replies) == {"201", "400", "413", "415", "422", "500"}
    for status, reply in replies.items():
        if status != "201":
            media = reply["content"]["application/problem+json"]
            assert media["schema"] == {"$ref": "#/components/schemas/Problem"}
            for code, example in media["examples"].items():
                shown = Problem.model_validate(example["value"])
                assert (str(shown.status), shown.code) == (status, code)
    assert app.openapi() is app.openapi()


def test_the_framework_own_422_is_not_in_the_openapi_document() -> None:
    app = make_app()
    assert list(operation(app, "/users/{user_id}", "patch")["422"]["content"]) == ["application/problem+json"]
    assert "HTTPValidationError" not in json.dumps(app.openapi())
    assert app.openapi()["components"]["schemas"]["Problem"]["required"] == list(Problem.model_fields)


def test_every_error_class_has_an_example_of_its_own() -> None:
    classes = {kind for kind in errors.RosterError.__subclasses__() if kind.__module__.startswith("app.")}
    documented = problems.responses(*classes)
    examples = {
        code: media["examples"][code]["value"]["detail"]
        for reply in documented.values()
        for media in reply["content"].values()
        for code in media["examples"]
    }
    assert len(examples) == len(classes) + 1
