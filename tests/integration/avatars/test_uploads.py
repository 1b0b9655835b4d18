"""Pictures are uploaded by their user and by those who may write users, and whatever is none is refused."""

import hashlib

import httpx
import pytest

from app.core.settings import Settings
from tests.support.jobs import backends
from tests.support.pictures import bomb, corners, decode, encode, halves, upload
from tests.support.tokens import mint, mint_for
from tests.support.users import NOBODY, create, database, problem, read

JPEG = {"Content-Type": "image/jpeg"}


async def test_an_uploaded_picture_is_shown_to_everybody_under_its_url(shared: httpx.AsyncClient) -> None:
    user = await create(shared)
    path = await upload(shared, user, encode(halves(), "PNG"))
    reply = await shared.get(path, params={"size": 128}, headers={"Authorization": ""})
    assert reply.status_code == 200
    assert corners(decode(reply.content)) == ["red", "blue", "red"]
    assert decode(reply.content).size == (128, 128)
    assert int(reply.headers["content-length"]) == len(reply.content)
    expected = {
        "content-type": "image/jpeg",
        "cache-control": "public, max-age=31536000, immutable",
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; sandbox",
        "cross-origin-resource-policy": "cross-origin",
    }
    assert {name: reply.headers.get_list(name) for name in expected} == {
        name: [value] for name, value in expected.items()
    }


async def test_a_picture_has_four_sizes_and_256_without_a_wish(shared: httpx.AsyncClient) -> None:
    path = await upload(shared, await create(shared))
    for query, side in (("", 256), ("?size=64", 64), ("?size=128", 128), ("?size=512", 512)):
        reply = await shared.get(path + query)
        assert decode(reply.content).size == (side, side)
    for wrong in ("100", "0", "x", "", "6_4"):
        reply = await shared.get(path, params={"size": wrong})
        assert problem(reply, 422, "validation_failed")["errors"][0]["parameter"] == "size"


async def test_a_picture_that_a_client_has_is_not_sent_again(shared: httpx.AsyncClient) -> None:
    path = await upload(shared, await create(shared))
    tag = (await shared.get(path)).headers["etag"]
    for known in (tag, f'"other", W/{tag}', "*"):
        reply = await shared.get(path, headers={"If-None-Match": known})
        assert (reply.status_code, reply.content, reply.headers["etag"]) == (304, b"", tag)
    assert (await shared.get(f"{path}?size=64", headers={"If-None-Match": tag})).status_code == 200


async def test_head_has_the_headers_of_the_picture(shared: httpx.AsyncClient) -> None:
    path = await upload(shared, await create(shared))
    reply, whole = await shared.head(path), await shared.get(path)
    assert (reply.status_code, reply.content) == (200, b"")
    assert reply.headers["etag"] == whole.headers["etag"]


async def test_a_form_takes_a_picture_too(shared: httpx.AsyncClient) -> None:
    user = await create(shared)
    files = {"file": ("张伟.png", encode(halves(), "PNG"), "image/png")}
    reply = await shared.put(f"/users/{user['id']}/avatar", files=files)
    assert reply.status_code == 200
    assert reply.headers["etag"] == '"2"'
    assert reply.json() == await read(shared, user)


async def test_users_upload_and_remove_their_own(shared: httpx.AsyncClient) -> None:
    user = await create(shared)
    own = {"Authorization": f"Bearer {await mint_for(backends(shared), user['id'], 'me')}"}
    reply = await shared.put("/users/me/avatar", content=encode(halves(), "GIF"), headers=own | JPEG)
    assert reply.status_code == 200
    url = httpx.URL(reply.json()["avatar_url"])
    led = await shared.get("/users/me/avatar?size=64", headers=own)
    assert (led.status_code, led.headers["location"]) == (302, f"../..{url.path}?size=64")
    assert (await shared.delete("/users/me/avatar", headers=own)).status_code == 204
    assert (await read(shared, user))["avatar_url"] is None
    problem(await shared.get(url.path), 404, "avatar_not_found")
    initials = await shared.get("/users/me/avatar", headers=own)
    assert (initials.status_code, initials.headers["content-type"]) == (200, "image/svg+xml")


async def test_initials_stand_for_a_picture_that_is_not_there(shared: httpx.AsyncClient) -> None:
    user = await create(shared, name="Ana <Silva>")
    reply = await shared.get(f"/users/{user['id']}/avatar", params={"size": 64})
    assert reply.status_code == 200
    assert reply.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert 'width="64"' in reply.text
    assert ">A</text>" in reply.text


async def test_a_picture_from_elsewhere_is_led_to_and_removed(shared: httpx.AsyncClient) -> None:
    foreign = "https://img.example.org/ana.png"
    user = await create(shared, avatar_url=foreign)
    reply = await shared.get(f"/users/{user['id']}/avatar")
    assert (reply.status_code, reply.headers["location"]) == (302, foreign)
    assert (await shared.delete(f"/users/{user['id']}/avatar")).status_code == 204
    assert (await read(shared, user))["avatar_url"] is None
    assert (await shared.delete(f"/users/{user['id']}/avatar")).status_code == 204


async def test_an_upload_and_a_removal_are_in_the_trail(shared: httpx.AsyncClient) -> None:
    user = await create(shared)
    await upload(shared, user)
    url = (await read(shared, user))["avatar_url"]
    await shared.delete(f"/users/{user['id']}/avatar")
    entries = (await shared.get("/audit", params={"user": user["id"]})).json()["items"]
    assert [entry["differences"] for entry in entries[:2]] == [
        [{"pointer": "/avatar_url", "from": url, "to": None}],
        [{"pointer": "/avatar_url", "from": None, "to": url}],
    ]


async def test_an_upload_of_a_version_that_has_passed_leaves_all_as_it_was(shared: httpx.AsyncClient) -> None:
    user = await create(shared)
    path = await upload(shared, user)
    before = await _count(shared)
    stale = JPEG | {"If-Match": '"1"'}
    content = encode(halves(), "JPEG")
    reply = await shared.put(f"/users/{user['id']}/avatar", content=content, headers=stale)
    problem(reply, 412, "version_mismatch")
    problem(await shared.delete(f"/users/{user['id']}/avatar", headers=stale), 412, "version_mismatch")
    assert (await shared.get(path)).status_code == 200
    assert await _count(shared) == before


async def _count(client: httpx.AsyncClient) -> tuple[int, int]:
    held = database(client)
    return await held["avatars"].count_documents({}), await held["avatar_files.files"].count_documents({})


async def test_a_later_picture_takes_the_place_of_the_first_at_once(shared: httpx.AsyncClient) -> None:
    user = await create(shared)
    first = await upload(shared, user)
    before = await _count(shared)
    second = await upload(shared, user)
    assert first != second
    problem(await shared.get(first), 404, "avatar_not_found")
    assert (await shared.get(second)).status_code == 200
    assert await _count(shared) == before


async def test_the_version_tells_nothing_of_user_and_picture(shared: httpx.AsyncClient) -> None:
    user = await create(shared)
    content = encode(halves(), "JPEG")
    first, second = [await upload(shared, user, content) for _ in range(2)]
    assert first[:12] != second[:12]
    assert user["id"] not in first
    assert hashlib.sha256(content).hexdigest()[:8] not in first


@pytest.mark.parametrize(
    ("content", "status", "code", "said"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "unsupported_picture", "SVG"),
        (b"\xef\xbb\xbf \n<!DOCTYPE html>", 415, "unsupported_picture", "SVG"),
        (b"\0\0\0\x1cftypheic\0\0\0\0mif1heic", 415, "unsupported_picture", "HEIC"),
        (b"II*\0" + bytes(100), 415, "unsupported_picture", "TIFF"),
        (b"%PDF-1.7", 415, "unsupported_picture", "PDF"),
        (b"hello", 415, "unsupported_picture", "JPEG, PNG, WebP, GIF or AVIF"),
        (b"\xff\xd8\xff" + bytes(100), 422, "unreadable_picture", "header"),
        (encode(halves(), "JPEG")[:2_000], 422, "unreadable_picture", "ends too early"),
        (bomb(30_000), 413, "picture_too_large", "12,500,000"),
        (b"", 422, "validation_failed", "no picture"),
    ],
)
async def test_what_is_no_picture_is_refused_with_what_to_send(
    shared: httpx.AsyncClient, content: bytes, status: int, code: str, said: str
) -> None:
    user = await create(shared)
    reply = await shared.put(f"/users/{user['id']}/avatar", content=content, headers=JPEG)
    assert said in problem(reply, status, code)["detail"]
    assert (await read(shared, user))["version"] == 1


async def test_a_body_that_no_picture_comes_in_is_refused(shared: httpx.AsyncClient) -> None:
    place = f"/users/{(await create(shared))['id']}/avatar"
    json = await shared.put(place, json={})
    assert "image/png" in problem(json, 415, "unsupported_media_type")["detail"]
    packed = await shared.put(place, content=b"x", headers=JPEG | {"Content-Encoding": "gzip"})
    problem(packed, 415, "unsupported_media_type")
    form = {"Content-Type": "multipart/form-data"}
    problem(await shared.put(place, content=b"x", headers=form), 400, "malformed_form")
    wrong = await shared.put(place, files={"picture": ("a.png", b"x")})
    assert problem(wrong, 422, "validation_failed")["errors"][0]["parameter"] == "file"
    two = [("file", ("a.png", b"x")), ("file", ("b.png", b"y"))]
    problem(await shared.put(place, files=two), 400, "malformed_form")
    large = bytes(Settings(_env_file=None).avatar_max_bytes + 1)
    problem(await shared.put(place, content=large, headers=JPEG), 413, "body_too_large")
    problem(await shared.put(place, content=large * 2, headers=JPEG), 413, "body_too_large")


async def test_only_those_who_may_write_the_user_upload(shared: httpx.AsyncClient) -> None:
    user, administrator = await create(shared), await create(shared, scopes=["me", "users:admin"])
    content = encode(halves(), "JPEG")
    for scopes, target in ((("me", "users:read"), user), (("users:write",), administrator)):
        token = {"Authorization": f"Bearer {await mint(backends(shared), *scopes)}"}
        place = f"/users/{target['id']}/avatar"
        problem(await shared.put(place, content=content, headers=token | JPEG), 403, "insufficient_scope")
        problem(await shared.delete(place, headers=token), 403, "insufficient_scope")
    problem(
        await shared.get(f"/users/{user['id']}/avatar", headers={"Authorization": ""}), 401, "unauthenticated"
    )
    nobody = f"/users/{NOBODY}/avatar"
    problem(await shared.put(nobody, content=content, headers=JPEG), 404, "user_not_found")
    problem(await shared.get(nobody), 404, "user_not_found")


async def test_a_user_has_twenty_uploads_an_hour(shared: httpx.AsyncClient) -> None:
    user, other = await create(shared), await create(shared)
    tiny = encode(halves(2, 2), "PNG")
    for _ in range(20):
        await upload(shared, user, tiny)
    reply = await shared.put(f"/users/{user['id']}/avatar", content=tiny, headers=JPEG)
    problem(reply, 429, "too_many_attempts")
    assert reply.headers["retry-after"] == "3600"
    await upload(shared, other, tiny)
