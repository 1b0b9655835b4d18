"""Problems in the language that a request accepts, wherever they arise; what programs read stays as it is."""

import json
from typing import Any

import httpx
import pytest

from tests.support.tokens import mint_for
from tests.support.users import create, person, problem

CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}
JSON = {"Content-Type": "application/json"}


async def ask(client: httpx.AsyncClient, asked: str, **more: Any) -> httpx.Response:
    method, path = asked.split()
    return await client.request(method, path, **{"headers": CHINESE, **more})


def told(reply: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """A problem in Chinese, and says so."""
    content = problem(reply, status, code)
    assert reply.headers["content-language"] == "zh-Hans"
    assert "Accept-Language" in reply.headers["vary"]
    return content


@pytest.mark.parametrize(
    ("asked", "more", "told_as", "detail"),
    [
        ("GET /nowhere", {}, (404, "not_found"), "没有此路径。"),
        ("GET /users/6650c5f2e1b7a3d4c9f01234", {}, (404, "user_not_found"), "没有此 ID 的用户。"),
        ("PUT /users", {}, (405, "method_not_allowed"), "此路径接受 GET, HEAD, POST。"),
        ("GET /users?q=%FF", {}, (400, "malformed_request"),
         "查询字符串不是 UTF-8：请按 UTF-8 对文本做百分号编码。"),
        ("GET /users?limit=0", {}, (422, "validation_failed"), "有 1 个值无效。"),
        ("GET /users?cursor=x", {}, (400, "invalid_cursor"),
         "游标与当前的筛选和排序不符：请去掉 `cursor` 重新开始。"),
        ("GET /users?limit=1&limit=2", {}, (422, "validation_failed"), "参数重复。"),
        ("POST /users", {"content": b"x" * 2_000_000}, (413, "body_too_large"), "请求体最多 1048576 字节。"),
        ("POST /users", {"content": b'{"a":1,"a":2}'}, (400, "malformed_json"),
         '键 "a" 在同一对象中出现两次。'),
        ("POST /users", {"content": b"x", "headers": CHINESE | {"Content-Type": "text/plain"}},
         (415, "unsupported_media_type"), "请使用 Content-Type：application/json，编码为 UTF-8。"),
        ("GET /users", {"headers": CHINESE | {"Authorization": "Bearer x"}}, (401, "invalid_token"),
         "访问令牌不是紧凑格式的已签名 JWT。"),
        ("DELETE /users/6650c5f2e1b7a3d4c9f01234", {"headers": CHINESE | {"If-Match": "3"}},
         (422, "validation_failed"), "If-Match 不是 ETag 列表。"),
        ("GET /users", {"headers": CHINESE | {"Host": "evil.example"}}, (421, "host_not_allowed"),
         "请使用 ROSTER_ALLOWED_HOSTS 允许的主机名。"),
    ],
)  # fmt: skip
async def test_whatever_refuses_a_request_tells_why_in_chinese(
    shared: httpx.AsyncClient, asked: str, more: dict[str, Any], told_as: tuple[int, str], detail: str
) -> None:
    headers = {"headers": more["headers"]} if "headers" in more else {"headers": CHINESE | JSON}
    assert told(await ask(shared, asked, **more | headers), *told_as)["detail"] == detail


async def test_each_bad_field_is_told_of_in_chinese(shared: httpx.AsyncClient) -> None:
    sent = person(phone="030", locale="?", nmae="x", profile={"age": -1})
    content = told(await ask(shared, "POST /users", json=sent), 422, "validation_failed")
    assert {bad["pointer"]: bad["detail"] for bad in content["errors"]} == {
        "/phone": "必须是国际格式的号码（E.164），以 + 和国家代码开头，例如 +8613800138000。",
        "/locale": "必须是语言标签（BCP 47），例如 zh-CN。",
        "/nmae": "此处没有这个名称的字段。您是否想写 `name`？",
        "/profile/age": "不能小于 0。",
    }


async def test_a_conflict_and_a_scope_that_is_lacking_are_told_in_chinese(shared: httpx.AsyncClient) -> None:
    user = await create(shared, email="conflict@example.com")
    reply = await ask(shared, "POST /users", json=person(email="Conflict@example.com"))
    assert told(reply, 409, "already_exists")["detail"] == "此 email 已属于其他用户。"
    stale = CHINESE | {"If-Match": '"9"'}
    reply = await ask(shared, f"DELETE /users/{user['id']}", headers=stale)
    assert told(reply, 412, "version_mismatch")["title"] == "内容已被修改"
    token = await mint_for(shared.app.state.container, user["id"], "me")  # type: ignore[attr-defined]  # set by `serving`
    reply = await ask(shared, "GET /users", headers=CHINESE | {"Authorization": f"Bearer {token}"})
    assert told(reply, 403, "insufficient_scope")["detail"] == "需要具有 users:read 权限的令牌。"
    assert reply.headers["www-authenticate"].endswith('scope="users:read"')


async def test_a_weak_password_is_told_of_as_on_the_pages(shared: httpx.AsyncClient) -> None:
    user = await create(shared)
    reply = await ask(shared, f"PUT /users/{user['id']}/password", json={"password": "short"})
    (bad,) = told(reply, 422, "validation_failed")["errors"]
    assert (bad["pointer"], bad["detail"]) == ("/password", "至少需要 8 个字符。")


async def test_the_operations_of_a_batch_are_told_of_in_chinese(shared: httpx.AsyncClient) -> None:
    gone = {"op": "delete", "id": "6650c5f2e1b7a3d4c9f01234"}
    reply = await ask(shared, "POST /users:batch", json={"operations": [gone]})
    assert reply.json()["results"][0]["error"]["detail"] == "没有此 ID 的用户。"
    assert reply.headers["content-language"] == "zh-Hans"


async def test_a_head_has_the_language_of_its_get(shared: httpx.AsyncClient) -> None:
    reply = await ask(shared, "HEAD /nowhere")
    assert (reply.status_code, reply.headers["content-language"], reply.content) == (404, "zh-Hans", b"")


@pytest.mark.parametrize("accepted", ["en", "fr", "*", "zh;q=0", "zh;q=x", "\x7f,;=", ""])
async def test_english_is_told_to_all_others(shared: httpx.AsyncClient, accepted: str) -> None:
    reply = await ask(shared, "GET /nowhere", headers={"Accept-Language": accepted})
    assert problem(reply, 404, "not_found")["detail"] == "No route has this path."
    assert reply.headers["content-language"] == "en"


async def test_what_oauth_clients_are_told_is_ascii(shared: httpx.AsyncClient) -> None:
    reply = await ask(shared, "POST /auth/token", data={"grant_type": "password", "username": "x"})
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_request")
    assert reply.content.isascii()
    assert not {"content-language", "vary"} & reply.headers.keys()


async def test_a_reply_without_a_problem_is_the_same_in_each_language(shared: httpx.AsyncClient) -> None:
    user = await create(shared)
    told_in = [await shared.get(f"/users/{user['id']}", headers=headers) for headers in ({}, CHINESE)]
    assert json.loads(told_in[0].content) == json.loads(told_in[1].content)
    assert "content-language" not in told_in[1].headers
