"""Templates, by the pages that come out of them."""

import gzip
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from app.core.catalogue import LANGUAGES, Language
from app.core.errors import StartError
from app.core.settings import Settings
from app.pages import Pages, Problem, Shown
from app.pages.pages import VIEWS, samples
from app.pages.views import Consent, Error, Mailed, SignIn, SignUp
from models.mail import Purpose

LARGEST = 10 * 1024


def made(**settings: Any) -> Pages:
    return Pages(Settings(_env_file=None, **settings))


PAGES = made()
HOSTILE = "<script>alert(1)</script>\"onfocus=x '{{ 7 * 7 }}"
EMPTY = SignIn(client=None, name="", can_sign_up=False, can_reset=False)


def refusal(**settings: Any) -> str:
    with pytest.raises(StartError) as refused:
        made(**settings)
    return str(refused.value)


def write(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_page_is_small_names_its_language_and_loads_nothing(language: Language) -> None:
    for view in (sample for kind in VIEWS for sample in samples(kind)):
        page = PAGES.render(view, Shown(language, form_token="f" * 64))
        assert len(gzip.compress(page.encode())) < LARGEST
        assert f'<html lang="{"zh-Hans" if language == "zh" else "en"}">' in page
        assert page.count("<h1>") == 1
        assert re.findall(r"(?:src|href|action)=\"(?!/auth/|\?|data:,|#|Ana)[^\"]*", page) == []
        assert "<script" not in page
        assert " style=" not in page


def test_what_others_have_written_stays_text() -> None:
    page = PAGES.render(
        Consent(
            client=HOSTILE,
            name=HOSTILE,
            scopes=("scope.me",),
            is_vouched_for=False,
            is_assured=False,
            place=HOSTILE,
        ),
        Shown("en", form_token=HOSTILE, query={"flow": HOSTILE}),
    )
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;&#34;onfocus=x &#39;{{ 7 * 7 }}") == 7


def test_a_problem_stands_in_the_title_is_focused_and_leads_to_its_field() -> None:
    problem = Problem(
        "error.validation_failed", fields={"email": "field.email", "password": "field.too_short"}
    )
    view = SignUp(client=None, name="Ana", email="ana", by_invitation=False, invitation="")
    page = PAGES.render(view, Shown("en"), problem)
    assert "<title>Error: Create an account – Roster</title>" in page
    assert '<div class="problem" role="alert" tabindex="-1" autofocus>' in page
    assert '<a href="#email">E-mail: Must be an address such as ana@example.com.</a>' in page
    assert re.search(r'<input id="email"[^>]* aria-describedby="email-wrong" aria-invalid="true"', page)
    assert re.search(r'<input id="password"[^>]* aria-describedby="password-hint password-wrong"', page)
    assert re.search(r'<p class="wrong" id="password-wrong">Must have at least 8 characters.</p>', page)
    assert page.count("autofocus") == 1


def test_a_problem_without_a_field_is_said_in_full() -> None:
    page = PAGES.render(EMPTY, Shown("zh"), Problem("error.too_many_attempts", {"seconds": "8"}))
    assert "<title>错误：登录 – Roster</title>" in page
    assert "<p>尝试次数过多。请在 8 秒后重试。</p>" in page


def test_fields_tell_phones_and_password_managers_what_they_are() -> None:
    page = PAGES.render(EMPTY, Shown("en"))
    name = re.search(r'<input id="username"[^>]*>', page)
    assert name is not None
    for attribute in ('autocomplete="username"', 'inputmode="email"', 'autocapitalize="none"', "autofocus"):
        assert attribute in name[0]
    assert re.search(
        r'<input id="password" name="password" type="password" autocomplete="current-password">', page
    )
    view = SignUp(client=None, name="", email="", by_invitation=True, invitation="")
    assert 'autocomplete="new-password"' in PAGES.render(view, Shown("en"))


def test_people_who_come_with_a_name_type_the_password_at_once() -> None:
    page = PAGES.render(
        SignIn(client=None, name="ana@example.com", can_sign_up=False, can_reset=False), Shown("en")
    )
    assert re.search(r'<input id="password"[^>]* autofocus', page)
    assert page.count("autofocus") == 1


def test_the_language_is_switched_at_the_same_place() -> None:
    page = PAGES.render(EMPTY, Shown("en", query={"flow": "a&b"}))
    assert '<a href="?flow=a%26b&amp;ui_locales=zh" lang="zh-Hans" hreflang="zh-Hans">中文</a>' in page
    assert '<span aria-current="true">English</span>' in page


def test_another_language_keeps_what_the_address_of_the_page_had() -> None:
    view = Mailed("activate", email="ana@example.com", token="a&b", is_sent=False)
    page = PAGES.render(view, Shown("en", query={"flow": "x"}))
    assert '<a href="?flow=x&amp;token=a%26b&amp;ui_locales=zh"' in page
    assert page.count("token=") == 1
    assert 'action="/auth/mail/activate?flow=x"' in page


def test_behind_a_prefix_links_keep_it() -> None:
    view = SignIn(client=None, name="", can_sign_up=True, can_reset=True)
    page = PAGES.render(view, Shown("en", root="/directory", query={"flow": "x"}))
    assert 'href="/directory/auth/sign-up?flow=x"' in page
    assert 'href="/directory/auth/forgotten?flow=x"' in page


@pytest.mark.parametrize("purpose", get_args(Purpose))
def test_a_link_asks_for_a_password_where_it_sets_one(purpose: Purpose) -> None:
    page = PAGES.render(Mailed(purpose, "ana@example.com", token="x", is_sent=False), Shown("en"))
    assert ('name="password"' in page) is (purpose in {"reset_password", "activate"})
    assert 'name="code"' not in page


def test_an_error_has_the_number_that_finds_it_in_the_log() -> None:
    page = PAGES.render(
        Error(number="8c2f", again="/auth/sign-in?flow=x", detail="The redirect_uri is unknown."),
        Shown("en"),
        Problem("error.unavailable"),
    )
    assert "give this number: 8c2f" in page
    assert '<a href="/auth/sign-in?flow=x">Try again</a>' in page
    assert '<p class="hint" lang="en">The redirect_uri is unknown.</p>' in page


def test_the_brand_is_everywhere(tmp_path: Path) -> None:
    (tmp_path / "logo.svg").write_text("<svg/>")
    branded = made(brand_name="Ærø & Søn", brand_logo=tmp_path / "logo.svg", brand_colour="#006644")
    page = branded.render(EMPTY, Shown("en", root="/x"))
    assert "<title>Sign in – Ærø &amp; Søn</title>" in page
    assert '<img src="/x/auth/logo" alt="Ærø &amp; Søn">' in page
    assert "--brand: #006644;" in page
    assert branded.brand.logo is not None
    assert branded.brand.logo.media_type == "image/svg+xml"


def test_our_own_pages_pass_what_those_of_an_operator_must(tmp_path: Path) -> None:
    made(templates=tmp_path)


def test_a_template_of_the_folder_takes_the_place_of_ours(tmp_path: Path) -> None:
    write(tmp_path, "_greeting.html", "<p>Welcome, {{ brand.name }}!</p>")
    write(
        tmp_path,
        "notice.html",
        '{% extends "base.html" %}{% block content %}{% include "_greeting.html" %}{% endblock %}',
    )
    write(tmp_path, ".DS_Store", "")
    branded = made(templates=tmp_path)
    notice = next(kind for kind in VIEWS if kind.__name__ == "Notice")
    assert "<p>Welcome, Roster!</p>" in branded.render(next(iter(samples(notice))), Shown("en"))
    assert '<form method="post" novalidate>' in branded.render(EMPTY, Shown("en"))


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("sign_in.html", "{% block", "ROSTER_TEMPLATES: sign_in.html, line 1: unexpected end of template"),
        ("sign_in.html", "a\n{{ nam }}", "ROSTER_TEMPLATES: sign_in.html, line 2: 'nam' is undefined."),
        (
            "sign_in.html",
            "{% if can_sign_up %}{{ nam }}{% endif %}",
            "ROSTER_TEMPLATES: sign_in.html, line 1: ",
        ),
        ("form.html", "{% macro", "ROSTER_TEMPLATES: form.html, line 1: "),
        ("notice.html", "{{ t('sign_in.nothing') }}", "ROSTER_TEMPLATES: notice.html, line 1: KeyError: "),
        (
            "notice.html",
            '{% include "_no.html" %}',
            "ROSTER_TEMPLATES: notice.html, line 1: there is no _no.html.",
        ),
        ("style.css", "{{ colour }}", "ROSTER_TEMPLATES: style.css, line 1: 'colour' is undefined."),
        (
            "sign_in.html",
            "<form method=post></form>",
            "ROSTER_TEMPLATES: sign_in.html has a form without the hidden field form_token: call token() of",
        ),
        (
            "sign-in.html",
            "",
            "ROSTER_TEMPLATES has sign-in.html, which replaces no template: name it ",
        ),
    ],
)
def test_a_broken_template_is_refused_in_one_sentence(
    tmp_path: Path, name: str, text: str, sentence: str
) -> None:
    said = refusal(templates=write(tmp_path, name, text))
    assert said.startswith(sentence)
    assert "\n" not in said


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    missing = tmp_path / "none"
    assert refusal(templates=missing) == (
        f"ROSTER_TEMPLATES cannot be read (No such file or directory): {missing}."
    )
