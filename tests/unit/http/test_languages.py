"""In which language a problem is told, and what its headers say of it."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.errors import FieldError, InvalidError, UserNotFoundError
from app.http import languages
from app.http.middleware import RequestContext
from app.http.problems import describe, problem_response
from tests.support.small_app import client_of, make_app

CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}


async def ask(app: ASGIApp) -> httpx.Response:
    """A request in Chinese to what has no layers but the outermost."""
    transport = httpx.ASGITransport(RequestContext(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://roster") as client:
        return await client.get("/", headers=CHINESE)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(make_app()) as opened:
        yield opened


@pytest.mark.parametrize(
    ("accepted", "language", "title"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans", "此处没有内容"),
        ("zh-TW", "zh-Hans", "此处没有内容"),
        ("fr, *;q=0.1", "en", "Nothing is here"),
        ("zh;q=0", "en", "Nothing is here"),
        ("zh;q=much", "en", "Nothing is here"),
        ("; , \xff", "en", "Nothing is here"),
        ("zh" * 40_000, "en", "Nothing is here"),
        ("", "en", "Nothing is here"),
    ],
)
async def test_a_problem_is_told_in_the_language_that_is_accepted(
    client: httpx.AsyncClient, accepted: str, language: str, title: str
) -> None:
    reply = await client.get("/nowhere", headers={b"Accept-Language": accepted.encode("latin-1")})
    assert (reply.status_code, reply.json()["code"], reply.json()["title"]) == (404, "not_found", title)
    assert (reply.headers["content-language"], reply.headers["vary"]) == (language, "Accept-Language")


async def test_several_headers_are_one_list(client: httpx.AsyncClient) -> None:
    asked = [("Accept-Language", "en;q=0.5"), ("Accept-Language", "zh")]
    assert (await client.get("/nowhere", headers=asked)).headers["content-language"] == "zh-Hans"


async def test_a_reply_that_tells_nothing_has_no_language(client: httpx.AsyncClient) -> None:
    reply = await client.post("/users", json={"name": "Ana"}, headers=CHINESE)
    assert reply.status_code == 201
    assert not {"content-language", "vary"} & reply.headers.keys()


async def test_each_field_is_told_of_in_the_same_language(client: httpx.AsyncClient) -> None:
    person = {"name": 5, "nmae": "x", "profile": {"age": 200}}
    reply = await client.post("/users", json=person, headers=CHINESE)
    assert (reply.status_code, reply.json()["code"]) == (422, "validation_failed")
    assert reply.json()["detail"] == "有 3 个值无效。"
    assert {bad["pointer"]: bad["detail"] for bad in reply.json()["errors"]} == {
        "/name": "必须是字符串。",
        "/nmae": "此处没有这个名称的字段。您是否想写 `name`？",
        "/profile/age": "不能大于 150。",
    }


@pytest.mark.parametrize(
    ("asked", "more", "status", "detail"),
    [
        ("PUT /users", {}, 405, "此路径接受 GET, HEAD, POST。"),
        ("POST /users", {"content": b"x" * 10_001}, 413, "请求体最多 10000 字节。"),
        (
            "POST /users",
            {"headers": CHINESE | {"Content-Length": "x"}},
            400,
            "Content-Length 必须是一个整数。",
        ),
        ("POST /users", {"content": b""}, 400, "请求体为空：请发送 JSON 文档。"),
        ("GET /mongo/away", {}, 503, "MongoDB 没有及时响应，请重试。"),
        ("GET /mongo/duplicate", {}, 503, "MongoDB 拒绝了此操作，请重试。"),
        ("GET /redis", {}, 503, "Redis 没有及时响应，请重试。"),
        ("GET /broken", {}, 500, "服务内部出错；凭 request_id 可在日志中查到原因。"),
    ],
)
async def test_each_way_of_making_an_error_is_told_in_chinese(
    asked: str, more: dict[str, Any], status: int, detail: str
) -> None:
    method, path = asked.split()
    transport = httpx.ASGITransport(make_app(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://roster") as client:
        reply = await client.request(method, path, **{"headers": CHINESE, **more})
    assert (reply.status_code, reply.json()["detail"]) == (status, detail)
    assert reply.headers["content-language"] == "zh-Hans"


async def test_one_text_without_a_translation_leaves_the_whole_in_english() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        bad = FieldError("Must be something that no catalogue has.", pointer="/name")
        await problem_response(InvalidError("1 value is not valid.", errors=(bad,)))(scope, receive, send)

    reply = await ask(app)
    assert (reply.json()["title"], reply.json()["detail"]) == (
        "The request is not valid",
        "1 value is not valid.",
    )
    assert reply.headers["content-language"] == "en"


async def test_a_reply_with_several_problems_names_each_language_once() -> None:
    async def app(_: Scope, __: Receive, send: Send) -> None:
        for detail in ("There is no user with this id.", "Nobody knows.", "The file was deleted meanwhile."):
            describe(UserNotFoundError(detail))
        start: Message = {"type": "http.response.start", "status": 207, "headers": []}
        await send(start)
        await send({"type": "http.response.body"})

    reply = await ask(app)
    assert (reply.headers["content-language"], reply.headers["vary"]) == ("zh-Hans, en", "Accept-Language")


def test_outside_of_a_request_problems_are_english() -> None:
    assert describe(UserNotFoundError("There is no user with this id."))["title"] == "No such user"
    languages.choose("zh")
    assert languages.say_one("No such user") == "No such user"
