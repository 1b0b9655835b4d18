"""The page at /console and its files: what is served, in which language, for how long."""

import gzip
import json
import re
from html import unescape

import httpx
import pytest

from app.console.console import POLICY
from tests.support.users import problem


def files_of(page: httpx.Response) -> str:
    """The path of its files."""
    found = re.search(r'src="(/console/files/[0-9a-f]{16})/main.js"', page.text)
    assert found is not None, page.text
    return found[1]


@pytest.mark.parametrize("place", ["", "/", "/people", "/people/6742f0c1a5d3b8e9f0123456"])
async def test_every_place_of_the_console_is_the_same_page(shared: httpx.AsyncClient, place: str) -> None:
    page = await shared.get(f"/console{place}")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.headers["content-security-policy"] == POLICY
    assert (page.headers["cache-control"], page.headers["vary"]) == ("no-cache", "Accept-Language, Cookie")
    assert page.headers["cross-origin-opener-policy"] == "same-origin"
    told = re.search(r'data-config="([^"]*)"', page.text)
    assert told is not None
    config = json.loads(unescape(told[1]))
    assert (config["client"], config["language"], config["files"]) == ("roster-console", "en", files_of(page))
    assert config["languages"] == {"en": "English", "zh": "中文"}


async def test_a_browser_that_has_the_page_is_told_that_it_is_the_same(shared: httpx.AsyncClient) -> None:
    page = await shared.get("/console")
    again = await shared.get("/console", headers={"If-None-Match": page.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", page.headers["etag"])


async def test_the_page_has_the_browser_s_language_until_its_reader_chooses(
    shared: httpx.AsyncClient,
) -> None:
    chinese = await shared.get("/console", headers={"Accept-Language": "zh-CN"})
    assert (chinese.headers["content-language"], '<html lang="zh-Hans"' in chinese.text) == ("zh", True)
    assert "set-cookie" not in chinese.headers
    chosen = await shared.get("/console?ui_locales=en", headers={"Accept-Language": "zh-CN"})
    assert chosen.headers["content-language"] == "en"
    assert chosen.headers["set-cookie"].startswith("roster_language=en;")


async def test_a_file_is_good_for_ever_and_compressed_for_those_who_take_that(
    shared: httpx.AsyncClient,
) -> None:
    address = files_of(await shared.get("/console"))
    plain = await shared.get(f"{address}/main.js", headers={"Accept-Encoding": "identity"})
    assert plain.headers["content-type"] == "text/javascript; charset=utf-8"
    assert plain.headers["cache-control"] == "public, max-age=31536000, immutable"
    async with shared.stream("GET", f"{address}/main.js", headers={"Accept-Encoding": "gzip"}) as squeezed:
        content = b"".join([part async for part in squeezed.aiter_raw()])
    assert (squeezed.headers["content-encoding"], squeezed.headers["vary"]) == ("gzip", "Accept-Encoding")
    assert gzip.decompress(content) == plain.content


async def test_the_texts_of_each_language_are_files_with_the_same_keys(shared: httpx.AsyncClient) -> None:
    address = files_of(await shared.get("/console"))
    english, chinese = [(await shared.get(f"{address}/texts/{name}.json")).json() for name in ("en", "zh")]
    assert (english["people"]["title"], chinese["people"]["title"]) == ("People", "人员")
    assert {name: texts.keys() for name, texts in chinese.items()} == {
        name: texts.keys() for name, texts in english.items()
    }


async def test_the_style_has_the_brand_s_colour_in_both_themes(shared: httpx.AsyncClient) -> None:
    style = await shared.get(f"{files_of(await shared.get('/console'))}/style.css")
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert re.match(r":root\{--brand:light-dark\(#[0-9a-f]{6},#[0-9a-f]{6}\)\}\n", style.text)


@pytest.mark.parametrize(
    "name", ["index.html", "vendor/preact.d.ts", "%2e%2e/assets.py", "style/base.css", "none.js", ""]
)
async def test_what_is_no_file_of_this_version_is_not_found(shared: httpx.AsyncClient, name: str) -> None:
    address = files_of(await shared.get("/console"))
    problem(await shared.get(f"{address}/{name}"), 404, "not_found")
    problem(await shared.get("/console/files/0123456789abcdef/main.js"), 404, "not_found")


@pytest.mark.parametrize(
    ("accept", "place"),
    [
        ("text/html,application/xhtml+xml,*/*;q=0.8", "/console"),
        ("application/json", "/openapi.json"),
        ("*/*", "/docs"),
    ],
)
async def test_a_browser_that_asks_for_the_front_comes_to_the_console(
    shared: httpx.AsyncClient, accept: str, place: str
) -> None:
    reply = await shared.get("/", headers={"Accept": accept})
    assert (reply.status_code, reply.headers["location"], reply.headers["vary"]) == (307, place, "Accept")
