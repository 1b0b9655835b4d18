import httpx
import pytest

from app.core import strict_json
from tests.support.small_app import client_of, make_app

PERSON = '{"name": "小中同学", "email": "xiaozhong@example.com"}'.encode()


async def send(
    body: bytes,
    media_type: str | None = "application/json",
    *,
    path: str = "/users",
    method: str = "POST",
    **headers: str,
) -> httpx.Response:
    if media_type is not None:
        headers["content-type"] = media_type
    async with client_of(make_app()) as client:
        return await client.request(method, path, content=body, headers=headers)


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        'application/json;charset="UTF8"',
        "application/json; charset=us-ascii",
        "application/json; profile=x",
        "Application/JSON",
    ],
)
async def test_json_is_read_by_every_method_and_in_utf_8_alone(media_type: str) -> None:
    assert (await send(PERSON, media_type)).status_code == 201
    assert (await send(PERSON, media_type, path="/v2/users/1", method="PATCH")).status_code == 200


async def test_a_merge_patch_is_read_by_patch_alone() -> None:
    media_type = "application/merge-patch+json"
    assert (await send(PERSON, media_type)).status_code == 415
    assert (await send(PERSON, media_type, path="/v2/users/1", method="PATCH")).json() == {
        "id": "1",
        "name": "小中同学",
    }


@pytest.mark.parametrize(
    "media_type",
    [
        None,
        "text/plain",
        "application/x-www-form-urlencoded",
        "text/json",
        "application/jsonp",
        "x",
        "",
        "application/json-patch+json",
        "application/problem+json",
        "application/vnd.api+json",
        "application/json; charset=iso-8859-1",
        "application/json; charset=utf-16",
        "application/json, text/plain",
    ],
)
async def test_other_media_types_and_encodings_are_415_and_say_what_is_read(media_type: str | None) -> None:
    response = await send(PERSON, media_type)
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")
    assert response.headers["accept-post"] == "application/json"
    response = await send(PERSON, media_type, path="/users/1", method="PATCH")
    assert response.status_code == 415
    assert response.headers["accept-patch"] == "application/merge-patch+json, application/json"


async def test_a_compressed_body_is_415() -> None:
    response = await send(PERSON, **{"content-encoding": "gzip"})
    assert (response.status_code, response.headers["accept-encoding"]) == (415, "identity")


@pytest.mark.parametrize("media_type", ["application/json", None])
async def test_an_empty_body_is_400_where_one_is_needed(media_type: str | None) -> None:
    response = await send(b"", media_type)
    assert (response.status_code, response.json()["code"]) == (400, "malformed_json")
    assert response.json()["detail"] == "The body is empty: send a JSON document."


async def test_an_empty_body_is_fine_where_none_is_needed() -> None:
    assert (await send(b"", None, path="/optional")).json() is False
    assert (await send(PERSON, path="/optional")).json() is True


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"not json",
        b'{"name": NaN}',
        rb'{"name": "\ud800"}',
        rb'{"name": "\u0000"}',
        b'{"name": "\xff"}',
        b'{"name": "A", "name": "B"}',
        b'{"name": 1e400}',
        b"[" * 33 + b"]" * 33,
        b"[" * 9_000,
    ],
)
async def test_lax_json_is_400(body: bytes) -> None:
    response = await send(body)
    assert (response.status_code, response.json()["code"]) == (400, "malformed_json")


async def test_false_is_not_the_age_zero() -> None:
    response = await send(b'{"name": "A", "profile": {"age": false}}')
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, "/profile/age")


async def test_a_large_body_is_read_in_a_thread_and_judged_alike() -> None:
    good = b'{"operations": [{"op": "delete", "id": "' + b"x" * strict_json.LARGE + b'"}]}'
    assert (await send(good, path="/users:batch")).json() == 1
    response = await send(good[:-1], path="/users:batch")
    assert (response.status_code, response.json()["code"]) == (400, "malformed_json")
