import base64
import hashlib
import re

import pytest

from tests.support.small_app import client_of, make_app


async def test_the_documentation_needs_nothing_from_another_host() -> None:
    async with client_of(make_app()) as client:
        page = (await client.get("/docs")).text
        links = re.findall(r'(?:src|href)="([^"]+)"', page) + re.findall(r"url: '([^']+)'", page)
        assert links == [
            "/docs/swagger-ui.css",
            "/docs/favicon.png",
            "/docs/page.css",
            "/docs/swagger-ui-bundle.js",
            "/docs/page.js",
            "/openapi.json",
        ]
        assert "//" not in re.sub(r"<!--.*?-->", "", page)
        sizes = [len((await client.get(link)).raise_for_status().content) for link in links]
    assert min(sizes) > 1000
    assert '"validatorUrl": null' in page


async def test_the_policy_lets_the_page_run_its_own_script_and_no_other() -> None:
    async with client_of(make_app()) as client:
        response = await client.get("/docs")
    script = re.findall(r"<script>(.*?)</script>", response.text, re.DOTALL)
    assert len(script) == 1
    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    policy = response.headers["content-security-policy"]
    assert policy.startswith(f"default-src 'none'; script-src 'self' 'sha256-{digest}';")
    assert "http" not in policy


async def test_the_page_signs_in_by_code_and_pkce_as_the_built_in_client() -> None:
    app = make_app()
    app.root_path = "/roster"
    async with client_of(app) as client:
        page = (await client.get("/docs")).text
        end = await client.get("/docs/oauth2-redirect", params={"code": "a", "state": "b"})
    assert "oauth2RedirectUrl: window.location.origin + '/roster/docs/oauth2-redirect'" in page
    assert 'initOAuth({"clientId": "roster", "usePkceWithAuthorizationCodeGrant": true})' in page
    (script,) = re.findall(r"<script>(.*?)</script>", end.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in end.headers["content-security-policy"]
    assert end.headers["cache-control"] == "no-store"
    assert end.headers["referrer-policy"] == "no-referrer"


async def test_only_the_files_of_the_documentation_are_served() -> None:
    async with client_of(make_app()) as client:
        for name in ("redoc.standalone.js", "..%2fcore.py", "%2e%2e%2f__init__.py", "nothing"):
            assert (await client.get(f"/docs/{name}")).status_code == 404


async def test_behind_a_path_prefix_the_documentation_finds_its_files() -> None:
    app = make_app()
    app.root_path = "/roster"
    async with client_of(app) as client:
        page = (await client.get("/docs")).text
    assert '"/roster/docs/swagger-ui-bundle.js"' in page
    assert "'/roster/openapi.json'" in page


async def test_the_page_names_its_language_title_and_main_part() -> None:
    async with client_of(make_app()) as client:
        page = (await client.get("/docs")).text
    assert '<html lang="en">' in page
    assert "<title>Small API</title>" in page
    assert page.count("<main ") == page.count("</main>") == 1
    assert page.index("/docs/page.js") > page.index("SwaggerUIBundle(")


@pytest.mark.parametrize(
    ("accept", "place"),
    [
        ("text/html,application/xhtml+xml,*/*;q=0.8", "/console"), ("*/*", "/docs"), ("", "/docs"),
        ("application/json", "/openapi.json"), ("application/problem+json", "/openapi.json"),
        ("application/json, text/html", "/console"),
    ],
)  # fmt: skip
async def test_the_root_leads_browsers_to_the_console_and_programs_to_the_documentation(
    accept: str, place: str
) -> None:
    app = make_app()
    async with client_of(app) as client:
        response = await client.get("/", headers={"Accept": accept})
        assert (response.status_code, response.headers["location"]) == (307, place)
        assert response.headers["vary"] == "Accept"
        app.root_path = "/roster"
        assert (await client.get("/", headers={"Accept": accept})).headers["location"] == f"/roster{place}"
