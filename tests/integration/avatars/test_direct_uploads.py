"""Pictures that clients send straight to the bucket, checked as if they had come to us."""

from typing import Any

import httpx
import pytest

from app.auth.throttles import Quota
from app.commands import integrity
from tests.support.identity import call
from tests.support.jobs import backends
from tests.support.pictures import bomb, corners, decode, encode, halves, upload
from tests.support.servers import S3Server
from tests.support.signatures import is_signed
from tests.support.tokens import mint, mint_for
from tests.support.uploads import age, announce, expire, keys_of, send
from tests.support.users import NOBODY, create, pointers, problem, read

PICTURE = encode(halves(), "PNG")
SAID = {"bytes": 1, "sha256": "0" * 64}


def uploads_of(user: dict[str, Any]) -> str:
    return f"/users/{user['id']}/avatar/uploads"


async def offer_sent(client: httpx.AsyncClient, user: dict[str, Any], content: bytes = PICTURE) -> str:
    """The path of an upload whose picture has arrived."""
    offer = await announce(client, uploads_of(user), content)
    await send(offer, content)
    return f"{uploads_of(user)}/{offer['id']}/complete"


async def test_a_picture_is_uploaded_to_the_bucket_and_shown(
    direct: httpx.AsyncClient, s3_server: S3Server
) -> None:
    user = await create(direct)
    first = await upload(direct, user)
    before = s3_server.list_keys()
    offer = await announce(direct, uploads_of(user), PICTURE)
    assert is_signed(offer["url"], "PUT")
    await send(offer, PICTURE)
    path = f"{uploads_of(user)}/{offer['id']}/complete"
    reply = await direct.post(path, headers={"If-Match": '"2"'})
    assert (reply.status_code, reply.headers["etag"]) == (200, '"3"')
    stored = reply.json()
    assert stored == await read(direct, user)
    shown = await direct.get(httpx.URL(stored["avatar_url"]).path, headers={"Authorization": ""})
    assert corners(decode(shown.content)) == ["red", "blue", "red"]
    problem(await direct.get(first), 404, "avatar_not_found")
    assert keys_of(s3_server, offer) == set()
    assert len(s3_server.list_keys() - before) == 1, "the squares"
    entries = (await direct.get("/audit", params={"user": user["id"]})).json()["items"]
    assert entries[0]["differences"][0]["to"] == stored["avatar_url"]

    await send(offer, b"something else")  # its URL is still good
    again = await direct.post(path, headers={"If-Match": '"2"'})
    assert (again.status_code, again.json()) == (200, stored)
    assert (await integrity.check(backends(direct))).wrong == []
    await expire(direct, "avatars", offer)
    await backends(direct).files.sweep()
    assert keys_of(s3_server, offer) == set()
    problem(await direct.post(path), 404, "upload_not_found")


async def test_users_upload_their_own_to_the_bucket(direct: httpx.AsyncClient) -> None:
    user = await create(direct)
    own = {"Authorization": f"Bearer {await mint_for(backends(direct), user['id'], 'me')}"}
    offer = await announce(direct, "/users/me/avatar/uploads", PICTURE, headers=own)
    await send(offer, PICTURE)
    path = f"avatar/uploads/{offer['id']}/complete"
    problem(await direct.post(f"/users/me/{path}"), 404, "user_not_found")
    problem(await direct.post(f"/users/{user['id']}/{path}"), 404, "upload_not_found")  # an administrator's
    reply = await direct.post(f"/users/me/{path}", headers=own)
    assert reply.status_code == 200
    assert reply.json()["avatar_url"] == (await read(direct, user))["avatar_url"] is not None


async def test_a_picture_that_is_never_completed_is_swept(
    direct: httpx.AsyncClient, s3_server: S3Server
) -> None:
    offer = await announce(direct, uploads_of(await create(direct)), PICTURE)
    await send(offer, PICTURE)
    await backends(direct).files.sweep()
    assert len(keys_of(s3_server, offer)) == 1, "it may be completed for a day"
    await expire(direct, "avatars", offer)
    await backends(direct).files.sweep()
    assert keys_of(s3_server, offer) == set()


async def test_what_is_not_what_was_announced_is_no_picture(direct: httpx.AsyncClient) -> None:
    user = await create(direct)
    offer = await announce(direct, uploads_of(user), PICTURE)
    path = f"{uploads_of(user)}/{offer['id']}/complete"
    problem(await direct.post(path), 409, "upload_not_ready")
    for other in (PICTURE + b"x", PICTURE.swapcase()):
        await send(offer, other)
        problem(await direct.post(path), 409, "upload_differs")
    assert (await read(direct, user))["version"] == 1
    await send(offer, PICTURE)
    assert (await direct.post(path)).status_code == 200


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "unsupported_picture"),
        (encode(halves(), "JPEG")[:2_000], 422, "unreadable_picture"),
        (bomb(30_000), 413, "picture_too_large"),
    ],
)
async def test_what_is_no_picture_is_refused_as_if_it_had_come_to_us(
    direct: httpx.AsyncClient, content: bytes, status: int, code: str
) -> None:
    user = await create(direct)
    problem(await direct.post(await offer_sent(direct, user, content)), status, code)
    assert (await read(direct, user))["version"] == 1


async def test_a_version_that_has_passed_leaves_the_upload_as_it_was(direct: httpx.AsyncClient) -> None:
    user = await create(direct)
    path = await offer_sent(direct, user)
    assert (await direct.patch(f"/users/{user['id']}", json={"name": "Zoe"})).status_code == 200
    problem(await direct.post(path, headers={"If-Match": '"1"'}), 412, "version_mismatch")
    assert (await direct.post(path, headers={"If-Match": '"2"'})).status_code == 200


async def test_a_picture_is_of_the_user_for_whom_it_was_announced(direct: httpx.AsyncClient) -> None:
    user, other = await create(direct), await create(direct)
    path = await offer_sent(direct, user)
    problem(await direct.post(path.replace(user["id"], other["id"])), 404, "upload_not_found")
    token = await mint(backends(direct), "users:write")
    problem(await call(direct, "POST", path, token), 404, "upload_not_found")
    problem(await direct.post(f"/users/imports/{path.partition('avatar/')[2]}"), 404, "upload_not_found")
    assert (await direct.post(path)).status_code == 200


async def test_only_those_who_may_write_the_user_announce(direct: httpx.AsyncClient) -> None:
    user, administrator = await create(direct), await create(direct, scopes=["me", "users:admin"])
    path = await offer_sent(direct, administrator)
    writer = await mint(backends(direct), "users:write")
    for place in (uploads_of(administrator), path):
        problem(await call(direct, "POST", place, writer, json=SAID), 403, "insufficient_scope")
    reader = await mint(backends(direct), "users:read", "me")
    problem(await call(direct, "POST", uploads_of(user), reader, json=SAID), 403, "insufficient_scope")
    problem(await direct.post(f"/users/{NOBODY}/avatar/uploads", json=SAID), 404, "user_not_found")


async def test_length_and_hash_are_announced_within_bounds(
    direct: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads = uploads_of(await create(direct))
    assert pointers(await direct.post(uploads, json={"bytes": 0, "sha256": "x"})) == {"/bytes", "/sha256"}
    large = SAID | {"bytes": backends(direct).settings.avatar_max_bytes + 1}
    problem(await direct.post(uploads, json=large), 413, "body_too_large")
    path = await offer_sent(direct, {"id": uploads.split("/")[2]})
    monkeypatch.setattr(backends(direct).avatars, "_limit", len(PICTURE) - 1)  # lowered since
    problem(await direct.post(path), 413, "body_too_large")


async def test_only_so_many_pictures_are_open_at_once(
    direct: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = [await create(direct) for _ in range(3)]
    token = await mint(backends(direct), "users:write")
    monkeypatch.setattr("app.files.offers.OPEN", 2)
    replies = [await call(direct, "POST", uploads_of(user), token, json=SAID) for user in users]
    assert [reply.status_code for reply in replies[:2]] == [201, 201]
    problem(replies[2], 503, "too_many_pictures")


async def test_two_uploads_for_one_user_are_open_at_once(direct: httpx.AsyncClient) -> None:
    user, other = await create(direct), await create(direct)
    path = await offer_sent(direct, user)
    await announce(direct, uploads_of(user), PICTURE)
    problem(await direct.post(uploads_of(user), json=SAID), 503, "too_many_pictures")
    await announce(direct, uploads_of(other), PICTURE)
    assert (await direct.post(path)).status_code == 200
    await announce(direct, uploads_of(user), PICTURE)


async def test_what_cannot_be_completed_is_deleted_when_its_url_ends(
    direct: httpx.AsyncClient, s3_server: S3Server
) -> None:
    users = [await create(direct) for _ in range(4)]
    offers = [await announce(direct, uploads_of(user), PICTURE) for user in users]
    waiting, long, late, missing = offers
    await send(waiting, PICTURE)
    await send(long, PICTURE * 2)
    await send(late, PICTURE)
    assert (await direct.post(f"{uploads_of(users[2])}/{late['id']}/complete")).status_code == 200
    await send(late, PICTURE * 2)
    await backends(direct).files.sweep()
    assert all(keys_of(s3_server, offer) for offer in (waiting, long, late)), "their URLs are good"
    for offer in offers:
        await age(direct, "avatars", offer)
    await backends(direct).files.sweep()
    assert [len(keys_of(s3_server, offer)) for offer in offers] == [1, 0, 0, 0]
    await send(missing, PICTURE)  # what was on its way
    await backends(direct).files.sweep()
    assert len(keys_of(s3_server, missing)) == 1, "each is looked at once"
    assert (await direct.post(f"{uploads_of(users[3])}/{missing['id']}/complete")).status_code == 200


async def test_uploads_to_the_bucket_count_with_those_to_us(
    direct: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await create(direct)
    monkeypatch.setattr("app.avatars.avatars.UPLOADS", Quota("avatars", 2, 3600))
    await upload(direct, user)
    first, second = [await offer_sent(direct, user) for _ in range(2)]
    assert (await direct.post(first)).status_code == 200
    problem(await direct.post(second), 429, "too_many_attempts")


async def test_where_there_is_no_bucket_pictures_come_to_us(shared: httpx.AsyncClient) -> None:
    reply = await shared.post(uploads_of(await create(shared)), json=SAID)
    problem(reply, 409, "direct_uploads_off")
