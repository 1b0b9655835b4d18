"""Whatever is sent, the answer is a problem of the 4xx kind that repeats nothing, and nothing is stored."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.values import CELL_LENGTH
from tests.support.users import NOBODY, create, person, pointers, problem, read, users

JSON = {"Content-Type": "application/json"}
MALFORMED: list[tuple[str, bytes]] = [
    ("lone surrogate", rb'{"name": "\ud800", "email": "a@example.com"}'),
    ("lone low surrogate", rb'{"name": "a\udc00b", "email": "a@example.com"}'),
    ("lone surrogate in a key", rb'{"\ud800": 1}'),
    ("surrogate in UTF-8", b'{"name": "\xed\xa0\x80"}'),
    ("Latin-1", b'{"name": "Zo\xeb"}'),
    ("UTF-16", '{"name": "Ana"}'.encode("utf-16")),
    ("byte order mark", b'\xef\xbb\xbf{"name": "Ana"}'),
    ("NaN", b'{"profile": {"age": NaN}}'),
    ("Infinity", b'{"profile": {"age": Infinity}}'),
    ("-Infinity", b'{"profile": {"age": -Infinity}}'),
    ("1e999", b'{"profile": {"age": 1e999}}'),
    ("-1e999", b'{"profile": {"age": -1e999}}'),
    ("past int64", b'{"profile": {"age": 9223372036854775808}}'),
    ("thousands of digits", b'{"profile": {"age": ' + b"9" * 5000 + b"}}"),
    ("duplicate keys", b'{"name": "Ana", "email": "a@example.com", "name": "Bea"}'),
    ("nested duplicate keys", b'{"profile": {"age": 1, "age": 2}}'),
    ("duplicate keys by escape", rb'{"name": "Ana", "n\u0061me": "Bea"}'),
    ("NUL in a string", rb'{"name": "A\u0000na"}'),
    ("NUL in a key", rb'{"na\u0000me": "Ana"}'),
    ("raw NUL", b'{"name": "A\0na"}'),
    ("depth 33", b'{"name":' * 33 + b"1" + b"}" * 33),
    ("depth 33 of arrays", b"[" * 33 + b"]" * 33),
    ("depth 100,000", b"[" * 100_000),
    ("empty", b""),
    ("white space", b" \r\n\t "),
    ("no JSON", b"name=Ana"),
    ("cut off", b'{"name": "Ana"'),
    ("two documents", b"{}{}"),
    ("trailing comma", b'{"name": "Ana",}'),
    ("single quotes", b"{'name': 'Ana'}"),
    ("comment", b'{"name": "Ana" /* x */}'),
]
NO_OBJECTS = [b"null", b"true", b"7", b'"Ana"', b"[]", b"[{}]"]
WRONG: list[tuple[str, list[Any]]] = [
    ("/name", [None, "", " ", "\t\n", "\u00a0", "\u200b\u200b", 7, True, ["Ana"], {"first": "Ana"},
         "x" * (CELL_LENGTH + 1)]),
    ("/email", [None, "", " ", 7, True, [], {"$ne": None}, "ana", "ana@", "@example.com", "ana@example",
         "a b@example.com",
                "ana@@example.com", "ana@exa mple.com", "ana@example..com", ".ana@example.com",
                "ana@-example.com", "ana@example.com,bea@example.com",
                "Ana <ana@example.com>", "ana@[127.0.0.1]", '"ana"@example.com',
                "ana@example.com\nBcc: bea@example.com",
                "ana@" + "e" * 64 + ".com", "x" * 321,
                "a" * 65 + "@example.com", "é" * 33 + "@example.com", "an\u200ba@example.com",
                "ana\u202e@example.com"]),
    ("/username", [7, True, [], "a b", "a@b", "-ana", ".ana", "a" * 65, "an\u200ba", "аna", "a/b",
         "ana\u0000"[:3] + "!"]),
    ("/phone", [7, 34600000000, True, [], "600000000", "+0600000000", "+34", "+3460000000000000",
         "+34 600 abc", "0034600000000",
                "+34600000000;ext=7", "+34 600", "+4444444", "+34600000000 ana"]),
    ("/avatar_url", [7, "example.com/a.png", "javascript:alert(1)", "file:///etc/passwd",
         "ftp://example.com/a.png",
                     "http://", "data:image/png;base64,AAAA", "https://example.com/" + "a" * 2048]),
    ("/locale", [7, "e", "en_", "englishlanguage", "en-", "en US", "zh\u200b-CN", "x" * 36]),
    ("/tags", [None, "a", {}, [7], [""], [" "], ["a,b"], ["a;b"], ["a\nb"], ["a", "a"],
         [f"t{n}" for n in range(51)], ["x" * 65], [["a"]]]),
    ("/profile", [None, [], "x", 7, True]),
    ("/profile/age", [False, True, 30.0, 30.5, "30", -1, 151, 2**31, 2**62, -(2**63), [], {}]),
    ("/profile/bio", [7, True, [], {}, "x" * (CELL_LENGTH + 1)]),
    ("/profile/title", [7, [], "x" * 129, "a\u0007b", "a\u001bb"]),
    ("/profile/department", [7, {"$ne": 1}, "x" * 129]),
    ("/profile/addresses", [None, {}, "x", ["x"], [None], [[]], [{}] * 11, [{"city": 7}],
         [{"street": "x" * 257}], [{"zipcode": 10115}]]),
]  # fmt: skip
EXAMPLE = "must be an e-mail address such as ana@example.com"
PATCHABLE_NULLS = {"/profile", "/tags", "/profile/addresses"}


@pytest.fixture
async def user(client: httpx.AsyncClient) -> dict[str, Any]:
    return await create(client, email="there.before@example.com")


@pytest.fixture
async def unchanged(client: httpx.AsyncClient, user: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    """The only user, who is unchanged at the end of the test, and still the only one."""
    yield user
    assert await read(client, user) == user
    assert await users(client).count_documents({}) == 1


def routes(user: dict[str, Any]) -> list[tuple[str, str]]:
    """Every route that takes a body."""
    path = f"/users/{user['id']}"
    return [("POST", "/users"), ("PATCH", path), ("PUT", path), ("POST", "/users:batch")]


def nested(pointer: str, value: Any) -> dict[str, Any]:
    document = value
    for step in reversed(pointer.split("/")[1:]):
        document = {step: document}
    return dict(document)


async def test_what_is_not_strict_json_is_400_on_every_route(
    client: httpx.AsyncClient, unchanged: dict[str, Any]
) -> None:
    for method, path in routes(unchanged):
        for name, body in MALFORMED:
            reply = await client.request(method, path, content=body, headers=JSON)
            content = problem(reply, 400, "malformed_json")
            assert len(reply.content) < 1000, (name, method, path)
            assert len(content["detail"]) < 200


async def test_a_body_that_is_no_object_is_422_on_every_route(
    client: httpx.AsyncClient, unchanged: dict[str, Any]
) -> None:
    for method, path in routes(unchanged):
        for body in NO_OBJECTS:
            reply = await client.request(method, path, content=body, headers=JSON)
            assert pointers(reply) == {""}, (body, method)


async def test_each_wrong_value_is_422_at_its_pointer_and_is_not_repeated(
    client: httpx.AsyncClient, unchanged: dict[str, Any]
) -> None:
    path = f"/users/{unchanged['id']}"
    for pointer, values in WRONG:
        for value in values:
            body = {"name": "Ana", "email": "other@example.com"} | nested(pointer, value)
            replies = [
                await client.post("/users", json=body),
                await client.put(path, json=body),
            ]
            if not (value is None and pointer in PATCHABLE_NULLS):
                replies.append(await client.patch(path, json=nested(pointer, value)))
            for reply in replies:
                found = pointers(reply)
                assert all(str(place).startswith(pointer) for place in found), (pointer, value, found)
                assert len(reply.content) < 5000
                if isinstance(value, str) and len(value.strip()) > 6 and value not in EXAMPLE:
                    assert json.dumps(value)[1:-1] not in reply.text, value


async def test_the_longest_texts_pass_and_one_unit_more_does_not(client: httpx.AsyncClient) -> None:
    emoji = "😀" * (CELL_LENGTH // 2)  # each counts twice, as in a spreadsheet cell
    for field in ("name", "bio"):
        for text, is_right in [
            ("x" * CELL_LENGTH, True),
            (emoji + "x", True),
            (emoji + "xx", False),
            (emoji + "😀", False),
            ("é" * CELL_LENGTH, True),
        ]:
            body = person(name=text) if field == "name" else person(profile={"bio": text})
            reply = await client.post("/users", json=body)
            assert reply.status_code == (201 if is_right else 422)
            if is_right:
                created = reply.json()
                assert (created["name"] if field == "name" else created["profile"]["bio"]) == text
                assert (await client.patch(f"/users/{created['id']}", json={"name": text})).status_code == 200
            else:
                assert len(reply.content) < 1000


async def test_odd_but_right_values_are_kept_as_typed(client: httpx.AsyncClient) -> None:
    names = ["=1+1", "+1", "-1", "@x", 'a"b', "😀👩‍👩‍👧", "null", "شیرین\u200cبانو", "İı", "ﬁ"]
    for name in names:
        user = await create(client, name=name)
        assert user["name"] == name
        assert await read(client, user) == user
    addresses = [{"label": f"a{n}"} for n in range(10)]
    user = await create(client, profile={"age": 0, "addresses": addresses}, tags=[f"t{n}" for n in range(50)])
    assert user["profile"]["age"] == 0
    assert len(user["profile"]["addresses"]) == 10
    assert len(user["tags"]) == 50


async def test_many_errors_are_listed_in_part_and_counted_in_full(client: httpx.AsyncClient) -> None:
    reply = await client.post("/users", json={f"field{number}": number for number in range(5000)})
    content = problem(reply, 422, "validation_failed")
    assert len(content["errors"]) == 50
    assert content["detail"].startswith("5002 values are not valid")


async def test_a_body_over_one_mebibyte_is_413_before_it_is_parsed(
    client: httpx.AsyncClient, unchanged: dict[str, Any]
) -> None:
    body = b"[" * (1024 * 1024 + 1)

    async def stream() -> AsyncIterator[bytes]:
        for _ in range(1025):
            yield b"[" * 1024

    for method, path in routes(unchanged)[:3]:
        reply = await client.request(method, path, content=body, headers=JSON)
        problem(reply, 413, "body_too_large")
        reply = await client.request(method, path, content=stream(), headers=JSON)  # no Content-Length
        problem(reply, 413, "body_too_large")


MEDIA_TYPES = [
    None, "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
    "application/xml", "text/json", "json", "application/jsonp", "application/json-patch+json",
    "application/json; charset=latin-1",
]  # fmt: skip


async def test_another_media_type_is_415_and_says_which_is_taken(
    client: httpx.AsyncClient, unchanged: dict[str, Any]
) -> None:
    body = json.dumps(person()).encode()
    for content_type in MEDIA_TYPES:
        headers = {} if content_type is None else {"Content-Type": content_type}
        for method, path in routes(unchanged):
            reply = await client.request(method, path, content=body, headers=headers)
            problem(reply, 415, "unsupported_media_type")
            if method == "PATCH":
                assert reply.headers["accept-patch"] == "application/merge-patch+json, application/json"
            elif method == "POST":
                assert reply.headers["accept-post"] == "application/json"


async def test_a_compressed_body_is_415(client: httpx.AsyncClient, unchanged: dict[str, Any]) -> None:
    for method, path in routes(unchanged):
        reply = await client.request(
            method, path, content=b"\x1f\x8b", headers={**JSON, "Content-Encoding": "gzip"}
        )
        problem(reply, 415, "unsupported_media_type")


async def test_a_charset_parameter_does_no_harm(client: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "Application/JSON; charset=UTF-8"}
    body = json.dumps(person(name="Zoë"), ensure_ascii=False).encode()
    assert (await client.post("/users", content=body, headers=headers)).json()["name"] == "Zoë"


IDS = [
    "1", NOBODY[:-1], NOBODY + "0", NOBODY[:-1] + "g",
    "%00", "%F0%9F%98%80" * 6, "%C4%B0" * 24, "null", "{id}",
    "..%2F..%2Fetc", "%20" + NOBODY, NOBODY + "%0A", "a" * 5000, "$ne", "%EF%BC%90" * 24, "%FF%FE",
]  # fmt: skip


async def test_a_malformed_id_is_refused_without_being_repeated(client: httpx.AsyncClient) -> None:
    for segment in IDS:
        for method in ("GET", "PATCH", "PUT", "DELETE"):
            body = person() if method in {"PATCH", "PUT"} else None
            reply = await client.request(method, f"/users/{segment}", json=body)
            assert problem(reply, 404, "not_found")["detail"] == "No route has this path.", segment
            assert len(reply.content) < 1000


async def test_a_method_that_a_path_does_not_take_is_405_with_all_that_it_takes(
    client: httpx.AsyncClient,
) -> None:
    allowed = {
        "/users": "GET, HEAD, POST",
        f"/users/{NOBODY}": "DELETE, GET, HEAD, PATCH, PUT",
        "/users:batch": "POST",
        "/health/live": "GET, HEAD",
    }
    for path, allow in allowed.items():
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"):
            if method in allow.split(", "):
                continue
            reply = await client.request(method, path)
            problem(reply, 405, "method_not_allowed")
            assert reply.headers["allow"] == allow, (method, path)


async def test_a_path_that_is_none_of_ours_is_404(client: httpx.AsyncClient) -> None:
    for path in (
        "/user",
        "/users/",
        f"/users/{NOBODY}/",
        f"/users/{NOBODY}/x",
        "/users:drop",
        "/Users",
        "http://localhost//users",
    ):
        problem(await client.get(path), 404, "not_found")


KEYS = st.sampled_from(
    ["name", "email", "username", "phone", "avatar_url", "locale", "tags", "profile", "age", "bio",
         "addresses", "city",
     "operations", "op", "user", "patch", "id", "version", "$set", "_id", "", "a.b"]
)  # fmt: skip
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
    | st.sampled_from(["", "ana", "ana@example.com", "a@faß.example", "+34600000000", "create", "update",
    "delete", NOBODY, "x" * 400])
)  # fmt: skip
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=12,
)
NEARLY_USERS = st.fixed_dictionaries(
    {"name": LEAVES, "email": LEAVES | st.emails() | st.builds("{}@{}.com".format, st.text(max_size=8),
    st.text(max_size=8))},
    optional={
        "username": LEAVES | st.text(max_size=10),
        "phone": LEAVES,
        "tags": st.lists(LEAVES, max_size=3),
        "profile": st.fixed_dictionaries({}, optional={"age": LEAVES, "bio": LEAVES, "addresses": DOCUMENTS}),
    },
)  # fmt: skip
MANY = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@MANY
@given(document=DOCUMENTS | NEARLY_USERS)
async def test_no_document_at_all_breaks_the_service(
    client: httpx.AsyncClient, user: dict[str, Any], document: Any
) -> None:
    body = json.dumps(document).encode()
    for method, path in routes(user):
        reply = await client.request(method, path, content=body, headers=JSON)
        assert reply.status_code < 500, (method, reply.text)
        if reply.status_code >= 400:
            problem(reply, reply.status_code, reply.json()["code"])
        elif path == "/users:batch":
            assert all(result["status"] < 500 for result in reply.json()["results"])
        else:
            assert (await client.get(f"/users/{reply.json()['id']}")).json() == reply.json()
    assert (await client.get("/users?limit=1000&sort=name")).status_code == 200
