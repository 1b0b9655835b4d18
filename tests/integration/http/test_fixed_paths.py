"""A fixed path takes its own methods, whatever a pattern that it fits takes besides."""

from typing import Any

import httpx
import pytest

from tests.support.openapi import METHODS, read_document
from tests.support.users import problem

FIXED = {
    path: {method for method in item if method in METHODS}
    for path, item in read_document()["paths"].items()
    if "{" not in path
}
PAGES = {"/auth/device": {"get"}}
"""What browsers get there besides."""


@pytest.mark.parametrize("path", FIXED)
async def test_a_fixed_path_refuses_each_other_method_and_names_its_own(
    shared: httpx.AsyncClient, path: str
) -> None:
    methods = FIXED[path] | PAGES.get(path, set())
    allowed = {method.upper() for method in methods}
    for method in METHODS - methods:
        reply = await shared.request(method, path, json={"name": "x"})
        problem(reply, 405, "method_not_allowed")
        named = set(reply.headers["allow"].split(", "))
        assert named == allowed | ({"HEAD"} if "GET" in allowed else set())


async def test_a_path_with_an_id_names_the_methods_of_all_its_routes(shared: httpx.AsyncClient) -> None:
    reply = await shared.post("/users/0123456789abcdef01234567", json={})
    problem(reply, 405, "method_not_allowed")
    assert reply.headers["allow"] == "DELETE, GET, HEAD, PATCH, PUT"


@pytest.mark.parametrize(
    "said",
    [
        {"age_min": False},
        {"age_max": "30"},
        {"created_from": 0},
        {"updated_to": True},
        {"city": True},
        {"id": 7},
    ],
)
async def test_what_an_export_asks_for_in_json_has_the_types_that_are_published(
    shared: httpx.AsyncClient, said: dict[str, Any]
) -> None:
    reply = await shared.post("/users/exports", json={"format": "csv", **said})
    problem(reply, 422, "validation_failed")
