"""What provisioning clients really send of users, each with the reply it needs."""

import secrets
from typing import Any

import httpx
import pytest

from tests.support.identity import call
from tests.support.scim import ENTERPRISE, PATCH, SCIM, USER, Provider, provider, scim_error


@pytest.fixture(scope="module")
async def okta(shared: httpx.AsyncClient) -> Provider:
    return await provider(shared)


def unique() -> str:
    return f"shape-{secrets.token_hex(4)}@example.com"


MOBILE = {"value": "+49 (30) 12-34", "type": "mobile"}

PATCHES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "an element is made where a filter finds none",
        {"op": "Add", "path": 'phoneNumbers[type eq "mobile"].value', "value": MOBILE["value"]},
        {"phoneNumbers": [MOBILE]},
    ),
    (
        "an addition to a single value replaces it",
        {"op": "Add", "path": "title", "value": "Chief"},
        {"title": "Chief"},
    ),
    (
        "an emptied text is unassigned",
        {"op": "Replace", "path": "title", "value": ""},
        {"title": None},
    ),
    (
        "an attribute of an extension is named by its URN",
        {"op": "Add", "path": f"{ENTERPRISE}:employeeNumber", "value": "9"},
        {ENTERPRISE: {"employeeNumber": "9"}},
    ),
    (
        "what is not there may be removed",
        {"op": "Remove", "path": "nickName"},
        {"nickName": None, "title": "Before"},
    ),
    (
        "a flag within a filter may be a text",
        {"op": "Add", "path": 'roles[primary eq "True"].value', "value": "reader"},
        {"roles": [{"value": "reader", "primary": True}]},
    ),
    (
        "names of attributes and operations have no case",
        {"op": "REPLACE", "path": "NAME.GIVENNAME", "value": "Ann"},
        {"name": {"givenName": "Ann"}},
    ),
    (
        "values without a path may name attributes of an extension",
        {"op": "replace", "value": {f"{ENTERPRISE}:department": "Tools", "title": "Both"}},
        {ENTERPRISE: {"department": "Tools"}, "title": "Both"},
    ),
    (
        "values without a path may name parts",
        {"op": "replace", "value": {"name.familyName": "Lee"}},
        {"name": {"familyName": "Lee"}},
    ),
    (
        "a flag may be a text without a path",
        {"op": "replace", "value": {"active": "False"}},
        {"active": False},
    ),
]


@pytest.mark.parametrize(("operation", "shown"), [each[1:] for each in PATCHES], ids=[e[0] for e in PATCHES])
async def test_a_change_of_a_user_is_understood(
    okta: Provider, operation: dict[str, Any], shown: dict[str, Any]
) -> None:
    made = await okta.make(unique(), title="Before")
    reply = await okta.patch(made, operation)
    assert reply.status_code == 200, reply.text
    changed = reply.json()
    assert {name: changed.get(name) for name in shown} == shown
    assert (await okta.ask("GET", f"/Users/{made['id']}")).json() == changed


CREATIONS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "Okta's with read-only attributes",
        {"groups": [], "locale": "en-US", "displayName": "Ann", "password": "a-Long-pass-4321"},
        {"locale": "en-US", "displayName": "Ann", "password": None, "groups": None},
    ),
    (
        "Entra's with an extension that has no data",
        {"schemas": [USER, ENTERPRISE], "meta": {"resourceType": "User"}, "roles": []},
        {ENTERPRISE: None, "roles": None},
    ),
    (
        "a manager that is a text",
        {"schemas": [USER, ENTERPRISE], ENTERPRISE: {"department": "A", "manager": "123456"}},
        {"title": None},
    ),
    (
        "a schema that nobody knows, without data",
        {"schemas": [USER, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/User"]},
        {"schemas": [USER]},
    ),
    ("keys of any case", {"EMAILS": [{"Value": "b@x.example", "Primary": True}]}, {"userType": None}),
    ("a flag that is a text", {"active": "False"}, {"active": False}),
]


@pytest.mark.parametrize(("sent", "shown"), [each[1:] for each in CREATIONS], ids=[e[0] for e in CREATIONS])
async def test_a_creation_is_understood(okta: Provider, sent: dict[str, Any], shown: dict[str, Any]) -> None:
    reply = await okta.ask("POST", "/Users", {"schemas": [USER], "userName": unique(), **sent})
    assert reply.status_code == 201, reply.text
    made = reply.json()
    assert reply.headers["Location"] == made["meta"]["location"]
    assert {name: made.get(name) for name in shown} == shown
    if "manager" in sent.get(ENTERPRISE, {}):
        assert made[ENTERPRISE]["manager"]["value"] == "123456"


async def test_a_user_that_was_read_may_be_put_back_and_deactivated(okta: Provider) -> None:
    made = await okta.make(unique(), title="Same")
    back = await okta.ask("PUT", f"/Users/{made['id']}", made | {"groups": [{"value": "1"}]})
    assert (back.status_code, back.json()["title"]) == (200, "Same")
    off = await okta.ask("PUT", f"/Users/{made['id']}", made | {"active": False})
    assert (off.status_code, off.json()["active"], off.json()["id"]) == (200, False, made["id"])


async def test_a_user_is_deleted_once(okta: Provider) -> None:
    made = await okta.make(unique())
    gone = await okta.ask("DELETE", f"/Users/{made['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    for method in ("GET", "DELETE"):
        assert scim_error(await okta.ask(method, f"/Users/{made['id']}"), 404)


async def test_a_password_against_the_policy_is_an_invalid_value(okta: Provider) -> None:
    made = await okta.make(unique())
    reply = await okta.patch(made, {"op": "replace", "value": {"password": "short"}})
    assert "short" not in scim_error(reply, 400, "invalidValue")


async def test_a_password_is_not_set_by_a_change_that_is_refused(okta: Provider) -> None:
    password = secrets.token_hex(12)
    made, other = await okta.make(unique(), password=password), await okta.make(unique())
    refused = await okta.patch(
        made,
        {"op": "replace", "path": "password", "value": secrets.token_hex(12)},
        {"op": "replace", "path": "userName", "value": other["userName"]},
    )
    scim_error(refused, 409, "uniqueness")
    form = {"username": made["userName"], "password": password, "grant_type": "password"}
    assert (await okta.http.post("/auth/token", data=form)).status_code == 200


async def test_a_body_may_be_plain_json(okta: Provider) -> None:
    headers = {"Authorization": f"Bearer {okta.token}"}
    for kind in ("application/json", "application/json; charset=utf-8", f"{SCIM}; charset=utf-8"):
        reply = await call(
            okta.http,
            "POST",
            "/scim/v2/Users",
            headers=headers | {"Content-Type": kind},
            json={"schemas": [USER], "userName": unique()},
        )
        assert (reply.status_code, reply.headers["Content-Type"]) == (201, SCIM), reply.text


FOUND_NOBODY = [
    'userName eq "nobody@example.com"',
    'externalId eq "nobody"',
    'emails[type eq "work"].value eq "nobody@example.com"',
    'id eq "nobody"',
]


@pytest.mark.parametrize("expression", FOUND_NOBODY)
async def test_a_filter_that_finds_nobody_is_an_empty_list(okta: Provider, expression: str) -> None:
    path = str(httpx.URL("/Users", params={"filter": expression, "startIndex": 1, "count": 100}))
    reply = await okta.ask("GET", path)
    assert reply.status_code == 200, reply.text
    page = reply.json()
    assert (page["totalResults"], page["itemsPerPage"], page["Resources"]) == (0, 0, [])


HOSTILE: list[tuple[str, str, dict[str, Any] | None, int]] = [
    ("GET", "/Users?count=-1", None, 200),
    ("GET", "/Users?count=1000000", None, 200),
    ("GET", f"/Users?startIndex={2**70}", None, 400),
    ("GET", f"/Users?startIndex={2**70}&filter=active%20eq%20true", None, 400),
    ("GET", "/Users?attributes=title&excludedAttributes=title", None, 400),
    ("GET", "/Users?filter=" + "(" * 300 + "a", None, 400),
    ("GET", "/" + "x/" * 500, None, 400),
    ("GET", "/Nothing", None, 404),
    ("GET", "/Users?filter=password%20pr", None, 400),
    ("POST", "/Users", {"schemas": [USER], "userName": ["a"]}, 400),
    ("POST", "/Users", {"schemas": [USER]}, 400),
    ("PATCH", "/Users/nobody", {"schemas": [PATCH], "Operations": []}, 400),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), HOSTILE, ids=lambda each: str(each)[:40])
async def test_odd_requests_are_answered_in_scim(
    okta: Provider, method: str, path: str, body: dict[str, Any] | None, status: int
) -> None:
    reply = await okta.ask(method, path, body)
    assert (reply.status_code, reply.headers["Content-Type"]) == (status, SCIM), reply.text
    if status >= 400:
        assert reply.json()["status"] == str(status)
