"""SCIM's users: made, read, changed, found and deleted as identity providers do it."""

import asyncio
import secrets
from typing import Any

import httpx
import pytest

from tests.support.identity import call, member, sign_in, token_of
from tests.support.scim import ENTERPRISE, USER, Provider, provider, scim_error


@pytest.fixture(scope="module")
async def okta(shared: httpx.AsyncClient) -> Provider:
    return await provider(shared)


@pytest.fixture(scope="module")
async def entra(shared: httpx.AsyncClient) -> Provider:
    return await provider(shared, "Entra")


def unique(name: str = "zoe") -> str:
    return f"{name}-{secrets.token_hex(4)}@example.com"


async def test_a_user_is_given_back_as_it_was_sent(okta: Provider) -> None:
    name = unique("Zoe")
    sent = {
        "externalId": name.upper(),
        "name": {"givenName": "Zoë", "familyName": "Ångström", "formatted": "Ms. Zoë Ångström"},
        "displayName": "Zoë Å.",
        "nickName": "Zo",
        "emails": [{"value": name, "type": "work", "primary": True}],
        "phoneNumbers": [{"value": "ext. 12 (only mornings)", "type": "work"}],
        "title": "Engineer",
        "locale": "en-US",
        "active": True,
        ENTERPRISE: {"employeeNumber": "007", "department": "Tools", "manager": {"value": "26118"}},
    }
    made = await okta.make(name, password=secrets.token_hex(12), groups=[], **sent)
    assert made["meta"]["resourceType"] == "User"
    assert made["meta"]["location"].endswith(f"/scim/v2/Users/{made['id']}")
    assert "password" not in made
    assert made[ENTERPRISE]["manager"].pop("$ref").endswith("/Users/26118")
    assert {field: made[field] for field in sent} == sent
    read = await okta.ask("GET", f"/Users/{made['id']}")
    assert read.headers["ETag"] == made["meta"]["version"]
    user = (await okta.http.get(f"/users/{made['id']}")).json()
    assert (user["name"], user["email"], user["profile"]["department"]) == ("Zoë Å.", name, "Tools")


async def test_a_client_sees_what_is_its_own(okta: Provider, entra: Provider) -> None:
    name = unique()
    made = await okta.make(name)
    for method in ("GET", "DELETE"):
        scim_error(await entra.ask(method, f"/Users/{made['id']}"), 404)
    assert await entra.find(f'userName eq "{name}"') == []
    scim_error(
        await entra.ask("POST", "/Users", {"schemas": [USER], "userName": name.upper()}), 409, "uniqueness"
    )
    assert [each["id"] for each in await okta.find(f'userName eq "{name.upper()}"')] == [made["id"]]


async def test_external_ids_are_compared_exactly_and_belong_to_their_client(
    okta: Provider, entra: Provider
) -> None:
    external = secrets.token_urlsafe(9) + "aA"
    made = await okta.make(unique(), externalId=external)
    await entra.make(unique(), externalId=external)
    assert [each["id"] for each in await okta.find(f'externalId eq "{external}"')] == [made["id"]]
    assert await okta.find(f'externalId eq "{external.swapcase()}"') == []
    again = {"schemas": [USER], "userName": unique(), "externalId": external}
    scim_error(await okta.ask("POST", "/Users", again), 409, "uniqueness")
    assert await okta.find(f'userName eq "{again["userName"]}"') == []


OFF: list[dict[str, Any]] = [
    {"op": "replace", "value": {"active": False}},
    {"op": "Replace", "path": "active", "value": "False"},
    {"op": "replace", "path": "active", "value": False},
    {"op": "Add", "path": "Active", "value": "false"},
    {"op": "replace", "path": f"{USER}:active", "value": False},
]


@pytest.mark.parametrize("operation", OFF, ids=str)
async def test_deactivation_in_every_shape_ends_the_sessions(
    okta: Provider, operation: dict[str, Any]
) -> None:
    name, password = unique(), secrets.token_hex(12)
    made = await okta.make(name, password=password)
    form = {"username": name, "password": password, "grant_type": "password"}
    token = (await okta.http.post("/auth/token", data=form)).json()["access_token"]
    assert (await call(okta.http, "GET", "/users/me", token)).status_code == 200
    reply = await okta.patch(made, operation)
    assert (reply.status_code, reply.json()["active"]) == (200, False)
    assert (await call(okta.http, "GET", "/users/me", token)).status_code == 401
    assert (await okta.ask("GET", f"/Users/{made['id']}")).json()["active"] is False
    trail = (await okta.http.get("/audit", params={"user": made["id"]})).json()["items"]
    assert {(entry["via"], entry["client"]) for entry in trail} == {("scim", okta.client_id)}
    assert (await okta.patch(made, {"op": "replace", "value": {"active": True}})).json()["active"] is True


async def test_a_patch_of_which_one_operation_fails_changes_nothing(okta: Provider) -> None:
    made = await okta.make(unique(), title="Before")
    good = [{"op": "replace", "path": "title", "value": f"After {number}"} for number in range(8)]
    bad = {"op": "replace", "path": "emails[type eq", "value": "x"}
    scim_error(await okta.patch(made, *good, bad, good[0]), 400, "invalidPath")
    assert (await okta.ask("GET", f"/Users/{made['id']}")).json() == made


async def test_several_replacements_of_entra_are_done_at_once(okta: Provider) -> None:
    made = await okta.make(unique(), emails=[{"value": "a@example.org", "type": "work"}])
    said = {
        "displayName": "New Name",
        'emails[type eq "work"].value': "b@example.org",
        "name.givenName": "New",
        "externalId": secrets.token_hex(8),
        f"{ENTERPRISE}:employeeNumber": "12",
        f"{ENTERPRISE}:manager": "123456",
        'phoneNumbers[type eq "mobile"].value': "+1 650 253 0000",
        'roles[primary eq "True"].value': "reader",
    }
    reply = await okta.patch(
        made, *({"op": "Add", "path": path, "value": value} for path, value in said.items())
    )
    assert reply.status_code == 200, reply.text
    changed = reply.json()
    assert changed["displayName"] == "New Name"
    assert changed["emails"] == [{"value": "b@example.org", "type": "work"}]
    assert changed["name"]["givenName"] == "New"
    assert changed[ENTERPRISE]["employeeNumber"] == "12"
    assert changed[ENTERPRISE]["manager"]["value"] == "123456"
    assert changed["phoneNumbers"] == [{"value": "+1 650 253 0000", "type": "mobile"}]
    assert changed["roles"] == [{"value": "reader", "primary": True}]
    cleared = await okta.patch(
        made,
        {"op": "Remove", "path": f"{ENTERPRISE}:manager"},
        {"op": "Replace", "path": "displayName", "value": ""},
    )
    assert "manager" not in cleared.json()[ENTERPRISE]


async def test_pages_hold_each_user_once_and_tell_the_total(shared: httpx.AsyncClient) -> None:
    small = await provider(shared, "OneLogin")
    empty = (await small.ask("GET", "/Users?startIndex=1&count=2")).json()
    assert (empty["totalResults"], empty["itemsPerPage"], empty.get("Resources", [])) == (0, 0, [])
    made = [(await small.make(unique(f"p{number}")))["id"] for number in range(5)]
    seen = []
    for start in (1, 3, 5):
        page = (await small.ask("GET", f"/Users?startIndex={start}&count=2")).json()
        assert (page["totalResults"], page["startIndex"]) == (5, start)
        seen += [each["id"] for each in page["Resources"]]
    assert seen == made
    only = (await small.ask("GET", "/Users?count=0")).json()
    assert (only["totalResults"], only.get("Resources", [])) == (5, [])
    ordered = await small.ask("GET", "/Users?sortBy=userName&sortOrder=descending&count=2")
    assert ordered.status_code == 200
    assert ordered.json()["totalResults"] == 5


@pytest.mark.parametrize(
    ("expression", "status"),
    [
        ('password eq "x"', 400),
        ('nickName co "x"', 400),
        ('userName co "x"', 400),
        ("(" * 300 + 'userName eq "x"' + ")" * 300, 400),
        ("userName eq", 400),
        ('emails[type eq "work"].value eq "nobody@example.org"', 200),
        ('emails.value eq "nobody@example.org" and active eq true', 200),
        ('id eq "unknown"', 200),
        ('meta.lastModified gt "2020-01-01T00:00:00Z" and active eq "True"', 200),
        ('not (userName eq "nobody@example.org")', 200),
    ],
)
async def test_filters_are_served_by_indexes_or_refused(okta: Provider, expression: str, status: int) -> None:
    reply = await okta.ask("GET", str(httpx.URL("/Users", params={"filter": expression})))
    if status == 400:
        scim_error(reply, 400, "invalidFilter")
    else:
        assert reply.status_code == 200, reply.text


async def test_who_may_not_is_told_in_scims_own_form(okta: Provider) -> None:
    scim_error(await call(okta.http, "GET", "/scim/v2/Users"), 401)
    wrong = await okta.ask("GET", "/Users", Authorization="non-token")
    scim_error(wrong, 401)
    person = await token_of(okta.http, "users:admin")
    scim_error(await call(okta.http, "GET", "/scim/v2/Users", person), 403)
    assert (await call(okta.http, "GET", "/scim/v2/ServiceProviderConfig")).status_code == 200
    scim_error(await okta.ask("GET", "/Unknown"), 404)
    scim_error(await okta.ask("GET", f"/Users/{'a' * 10_000}"), 400, "invalidValue")
    scim_error(await okta.ask("GET", "/Me"), 501)
    scim_error(await okta.ask("POST", "/Users", {"schemas": [USER]}), 400, "invalidValue")


async def test_a_password_that_the_policy_refuses_makes_no_user(okta: Provider) -> None:
    name = unique()
    body = {"schemas": [USER], "userName": name, "password": "short"}
    scim_error(await okta.ask("POST", "/Users", body), 400, "invalidValue")
    assert await okta.find(f'userName eq "{name}"') == []
    made = await okta.make(name)
    scim_error(await okta.patch(made, {"op": "replace", "value": {"password": "short"}}), 400, "invalidValue")
    assert (
        await okta.patch(made, {"op": "replace", "value": {"password": secrets.token_hex(12)}})
    ).status_code == 200


async def test_an_administrator_is_beyond_a_client(okta: Provider) -> None:
    made = await okta.make(unique())
    granted = await okta.http.patch(f"/users/{made['id']}", json={"scopes": ["me", "users:admin"]})
    assert granted.status_code == 200
    scim_error(await okta.patch(made, {"op": "replace", "value": {"active": False}}), 403)
    scim_error(await okta.patch(made, {"op": "replace", "value": {"password": secrets.token_hex(12)}}), 403)
    scim_error(await okta.ask("DELETE", f"/Users/{made['id']}"), 403)


async def test_deleted_users_are_gone_for_good(okta: Provider) -> None:
    made = await okta.make(unique())
    assert (await okta.ask("DELETE", f"/Users/{made['id']}")).status_code == 204
    scim_error(await okta.ask("GET", f"/Users/{made['id']}"), 404)
    scim_error(await okta.ask("DELETE", f"/Users/{made['id']}"), 404)
    assert (await okta.http.get(f"/users/{made['id']}")).status_code == 404


async def test_a_replacement_takes_what_was_read_before(okta: Provider) -> None:
    made = await okta.make(unique(), title="Before", nickName="Z")
    reply = await okta.ask("PUT", f"/Users/{made['id']}", made | {"title": "After", "groups": []})
    assert reply.status_code == 200, reply.text
    assert (reply.json()["title"], reply.json()["nickName"]) == ("After", "Z")
    stale = await okta.ask("PUT", f"/Users/{made['id']}", made, **{"If-Match": made["meta"]["version"]})
    scim_error(stale, 412)
    off = await okta.ask("PUT", f"/Users/{made['id']}", reply.json() | {"active": False})
    assert off.json()["active"] is False


async def test_what_others_change_is_read_by_the_client(okta: Provider) -> None:
    made = await okta.make(unique(), title="Before", displayName="Zoe")
    await okta.http.patch(f"/users/{made['id']}", json={"name": "Zoe Sharp", "profile": {"title": "Chief"}})
    read = (await okta.ask("GET", f"/Users/{made['id']}")).json()
    assert (read["displayName"], read["title"]) == ("Zoe Sharp", "Chief")
    assert read["meta"]["version"] != made["meta"]["version"]


async def test_of_fifty_creates_of_one_user_one_succeeds(okta: Provider) -> None:
    body = {"schemas": [USER], "userName": unique()}
    replies = await asyncio.gather(*(okta.ask("POST", "/Users", body) for _ in range(50)))
    assert sorted(reply.status_code for reply in replies) == [201, *[409] * 49]


async def test_a_user_who_is_somebody_elses_cannot_be_made_again(okta: Provider) -> None:
    user = await member(okta.http, "me")
    scim_error(
        await okta.ask("POST", "/Users", {"schemas": [USER], "userName": user["email"]}), 409, "uniqueness"
    )
    assert await sign_in(okta.http, user)
