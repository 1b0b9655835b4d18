"""What mails say, by the messages that come out: each is flattened, parsed and looked at in all its parts."""

import html
import re
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import SMTPUTF8, default
from email.utils import parseaddr
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.catalogue import LANGUAGES, Language, texts
from app.core.errors import StartError
from app.core.settings import Settings
from app.mail import Mail
from app.mail.contents import NEEDS, find_lacking, sample
from app.mail.harmless import one_line
from app.mail.messages import KINDS, Messages
from models.mail import MailKind

ISSUER = "https://users.example.com"
SENT_AT = datetime(2026, 11, 30, 9, 5, tzinfo=UTC)
EACH = [pytest.param(kind, language, id=f"{kind}-{language}") for kind in KINDS for language in LANGUAGES]
HOSTILE = '<img src="https://evil.example/x">\'\r\nBcc: eve@evil.example\r\n\r\n<script>alert(1)</script>'


def made(**settings: Any) -> Messages:
    given: dict[str, Any] = {"issuer": ISSUER, "mail_from": "Acme Roster <noreply@acme.example>"}
    return Messages(Settings(_env_file=None, **given | settings))


MESSAGES = made()


def received(mail: Mail, messages: Messages = MESSAGES, message_id: str = "<1@acme.example>") -> EmailMessage:
    """As it arrives, from its bytes in seven bits."""
    raw = messages.compose(mail, message_id=message_id, sent_at=SENT_AT).as_bytes()
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")
    parsed = message_from_bytes(raw, policy=default)
    assert isinstance(parsed, EmailMessage)
    assert not parsed.defects
    return parsed


def a_mail(kind: MailKind = "verify_email", language: Language = "en", **values: str) -> Mail:
    mail = sample(kind, language, issuer=ISSUER)
    return replace(mail, values={**mail.values, **values}, name=values.get("name", mail.name))


def parts(message: EmailMessage) -> tuple[str, str]:
    text, page = (str(part.get_content()).replace("\r\n", "\n") for part in message.iter_parts())
    return text, page


def words(page: str) -> str:
    """What a person reads of the HTML."""
    body = page.partition("</head>")[2]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


@pytest.mark.parametrize(("kind", "language"), EACH)
def test_both_parts_of_each_mail_say_the_same_in_its_language(kind: MailKind, language: Language) -> None:
    mail = a_mail(kind, language)
    message = received(mail)
    text, page = parts(message)
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert f'<html lang="{"zh-Hans" if language == "zh" else "en"}">' in page
    read = words(page)
    for paragraph in text.split("\n"):
        if "{" not in paragraph:
            assert paragraph.strip().rstrip(":：") in read, paragraph
    assert message["Subject"] in read
    assert str(mail.values["name"]) in text
    for told in ("link", "code"):
        assert mail.values.get(told, "") in text
    assert "{" not in text + read


@pytest.mark.parametrize(("kind", "language"), EACH)
def test_a_mail_loads_nothing_and_runs_nothing(kind: MailKind, language: Language) -> None:
    _, page = parts(received(a_mail(kind, language)))
    assert re.findall(r"src=|url\(|@import|<script|<link|<img|<form|\son[a-z]+=", page) == []
    assert re.findall(r'href="(?!https://users\.example\.com/)[^"]*', page) == []


def test_headers_tell_programs_what_it_is() -> None:
    message = received(a_mail("reset_password"), message_id="<6b05f0a1e1b7a3d4c9f01239@acme.example>")
    assert dict(message.items()) | {"Content-Type": ""} == {
        "From": "Acme Roster <noreply@acme.example>",
        "To": "Ana Pérez <ana@example.com>",
        "Subject": "Choose a new password",
        "Date": "Mon, 30 Nov 2026 09:05:00 +0000",
        "Message-ID": "<6b05f0a1e1b7a3d4c9f01239@acme.example>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "MIME-Version": "1.0",
        "Content-Type": "",
    }
    assert message.get_content_type() == "multipart/alternative"


def test_a_notice_that_can_be_turned_off_says_how_in_a_header_that_is_not_encoded() -> None:
    link = f"{ISSUER}/auth/notices?token={'x' * 200}"
    mail = a_mail("new_device", unsubscribe=link)
    raw = MESSAGES.compose(mail, message_id="<1@acme.example>", sent_at=SENT_AT).as_bytes()
    assert f"\r\nList-Unsubscribe: <{link}>\r\n".encode() in raw
    text, page = parts(received(mail))
    assert text.endswith(f"Get no more of these mails:\n{link}\n")
    assert f'<a href="{link}">Get no more of these mails</a>' in page


@pytest.mark.parametrize(
    "name", ["张伟", "Zoë Müller, jun.", "محمد علي", 'Ana "Anita" O\'Neil', "नीलम", "ЁЖ"]
)
def test_names_of_any_script_arrive_in_header_and_greeting(name: str) -> None:
    message = received(a_mail(name=name))
    assert message["To"].addresses[0].display_name == name
    text, page = parts(message)
    greeting = text.partition("\n")[0]
    assert greeting.replace("\u2068", "").replace("\u2069", "") == f"Hello {name},"
    assert greeting in html.unescape(page)


def test_letters_from_right_to_left_do_not_move_the_comma() -> None:
    text, _ = parts(received(a_mail(name="محمد علي")))
    assert text.startswith("Hello \u2068محمد علي\u2069,\n")


@pytest.mark.parametrize(
    "name",
    [
        HOSTILE,
        "Win at https://evil.example",
        "evil.example",
        "Call 0151 1234567",
        "加微信ｗｗｗ。evil。example",
        "x" * 10_000,
        "=?utf-8?q?Bcc=3A_eve?=",
        "eve@evil.example",
        "\u202e\u200b",
        "",
    ],
)
def test_a_name_that_is_a_message_or_none_is_left_out(name: str) -> None:
    message = received(a_mail(name=name))
    text, page = parts(message)
    assert text.startswith("Hello,\n")
    assert "<p>Hello,</p>" in page
    assert str(message["To"]) == "ana@example.com"
    assert "evil" not in message.as_string()


@given(name=st.text(max_size=80))
@hypothesis.settings(deadline=None)
def test_no_name_makes_another_header_or_another_recipient(name: str) -> None:
    raw = MESSAGES.compose(a_mail(name=name), message_id="<1@acme.example>", sent_at=SENT_AT).as_bytes()
    parsed = message_from_bytes(raw)
    assert len(parsed.items()) == 9
    # The library's newer parser leaves a space between encoded words, against RFC 2047, section 6.2.
    written, address = parseaddr(parsed["To"])
    assert address == "ana@example.com"
    assert str(make_header(decode_header(written))) in {"", one_line(name)}


@pytest.mark.parametrize("value", [HOSTILE, "x" * 10_000])
def test_what_others_have_written_gets_into_no_mail(value: str) -> None:
    text, page = parts(received(a_mail("new_device", device=value)))
    assert "from a device that was not used for it before: an unknown device." in text
    assert "evil" not in text + page


def test_html_in_what_a_mail_is_told_stays_text() -> None:
    _, page = parts(received(a_mail(link=f"{ISSUER}/?a=1&b=\"><b>'")))
    assert 'href="https://users.example.com/?a=1&amp;b=&#34;&gt;&lt;b&gt;&#39;"' in page


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("ana@bücher.example", "ana@xn--bcher-kva.example"),
        ("ana@例え.テスト", "ana@xn--r8jz45g.xn--zckzah"),
        ("O'Neil+tag@Example.COM", "O'Neil+tag@example.com"),
    ],
)
def test_a_domain_of_any_script_goes_out_in_ascii(address: str, shown: str) -> None:
    assert received(replace(a_mail(), to=address))["To"].addresses[0].addr_spec == shown


def test_a_local_part_of_any_script_stays_as_it_is_for_servers_that_speak_smtputf8() -> None:
    mail = replace(a_mail(), to="用户@bücher.example")
    message = MESSAGES.compose(mail, message_id="<1@acme.example>", sent_at=SENT_AT)
    flat = message.as_bytes(policy=SMTPUTF8)
    assert "To: Ana Pérez <用户@xn--bcher-kva.example>\r\n".encode() in flat


@pytest.mark.parametrize(
    ("lasts", "english", "chinese"),
    [
        ({"minutes": "30"}, "30 minutes", "30 分钟"),
        ({"minutes": "1"}, "1 minute", "1 分钟"),
        ({"minutes": "60"}, "60 minutes", "60 分钟"),
        ({"minutes": "90"}, "90 minutes", "90 分钟"),
        ({"hours": "24"}, "24 hours", "24 小时"),
        ({"hours": "168"}, "7 days", "7 天"),
        ({"days": "7"}, "7 days", "7 天"),
    ],
)
def test_how_long_a_link_is_good_is_said_in_words(lasts: dict[str, str], english: str, chinese: str) -> None:
    link = {"link": ISSUER}
    text, _ = parts(received(Mail("activate", "ana@example.com", "en", link | lasts)))
    assert f"The link is good for {english}." in text
    text, _ = parts(received(Mail("activate", "ana@example.com", "zh", link | lasts)))
    assert f"链接在 {chinese}内有效。" in text


def test_a_time_is_said_in_utc_as_each_language_writes_it() -> None:
    values = {"when": "2026-01-01T01:30:00+02:00"}
    text, _ = parts(received(Mail("password_changed", "ana@example.com", "en", values)))
    assert "was changed on 31 December 2025, 23:30 UTC." in text
    text, _ = parts(received(Mail("password_changed", "ana@example.com", "zh", values)))
    assert "已于 2025 年 12 月 31 日 23:30（UTC）修改。" in text


@pytest.mark.parametrize(
    ("kind", "page"),
    [
        ("email_replaced", "/auth/sign-in"),
        ("password_changed", "/auth/forgotten"),
        ("registered_again", "/auth/forgotten"),
        ("new_device", "/auth/forgotten"),
        ("sessions_ended", "/auth/sign-in"),
    ],
)
def test_notices_lead_to_where_something_can_be_done(kind: MailKind, page: str) -> None:
    text, _ = parts(received(a_mail(kind)))
    assert f"{ISSUER}{page}\n" in text


@pytest.mark.parametrize(("language", "said"), [("en", "tell an administrator"), ("zh", "请联系管理员")])
def test_an_address_that_cannot_take_back_is_told_whom_to_ask(language: Language, said: str) -> None:
    text, page = parts(received(a_mail("email_replaced", language)))
    assert said in text
    assert "take_back_email" not in text + page


def test_the_code_is_typed_on_a_page_whose_address_has_no_token() -> None:
    text, page = parts(received(a_mail("reset_password")))
    assert f"{ISSUER}/auth/mail/reset_password\n\n    042137\n" in text
    assert f'<a href="{ISSUER}/auth/mail/reset_password">' in page


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_names_what_it_needs_and_is_not_told(kind: MailKind) -> None:
    assert find_lacking(sample(kind, "en", issuer=ISSUER)) == set()
    assert find_lacking(Mail(kind, "ana@example.com", "en", {"name": "Ana"})) == NEEDS[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_texts_are_filled_in_with_nothing_but_what_their_kind_needs(kind: MailKind) -> None:
    said = "".join(text for key, text in texts("en").items() if key.startswith(f"mail_{kind}."))
    assert set(re.findall(r"{(\w+)}", said)) - {"brand"} <= NEEDS[kind]


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("mail.html", "{% block", "ROSTER_TEMPLATES/mail: mail.html, line 1: unexpected end of template"),
        ("mail.txt", "a\n{{ nam }}", "ROSTER_TEMPLATES/mail: mail.txt, line 2: 'nam' is undefined."),
        (
            "activate.html",
            "{% if not code %}{{ nam }}{% endif %}{{ link }}{{ code }}",
            "ROSTER_TEMPLATES/mail: activate.html, line 1: 'nam' is undefined.",
        ),
        ("style.css", "{{ colour }}", "ROSTER_TEMPLATES/mail: style.css, line 1: 'colour' is undefined."),
        (
            "activate.txt",
            "{{ text }} {{ code }}",
            "ROSTER_TEMPLATES/mail: the mail activate does not show its link in txt: write {{ ",
        ),
        (
            "activate.html",
            "{{ text }} {{ link }}",
            "ROSTER_TEMPLATES/mail: the mail activate does not show its code in html: write {{ ",
        ),
        ("welcome.html", "", "ROSTER_TEMPLATES/mail has welcome.html, which replaces no template: name it "),
    ],
)
def test_a_broken_template_is_refused_in_one_sentence(
    tmp_path: Path, name: str, text: str, sentence: str
) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / name).write_text(text)
    with pytest.raises(StartError) as refused:
        made(templates=tmp_path)
    assert str(refused.value).startswith(sentence)
    assert "\n" not in str(refused.value)


def test_a_template_of_the_folder_takes_the_place_of_ours_for_one_kind(tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "_greeting.txt").write_text("Dear {{ name or 'you' }} & all,")
    (tmp_path / "mail" / "invitation.txt").write_text(
        '{% extends "mail.txt" %}{% block content %}{% include "_greeting.txt" %} {{ link }}{% endblock %}'
    )
    messages = made(templates=tmp_path)
    text, page = parts(received(a_mail("invitation", name="O'Neil"), messages))
    assert text.startswith("Dear O'Neil & all, https://users.example.com/auth/sign-up?invitation=")
    assert "You are invited to create an account" in page
    text, _ = parts(received(a_mail("activate"), messages))
    assert text.startswith("Hello Ana Pérez,\n")


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartError) as refused:
        made(templates=tmp_path / "none")
    said = f"ROSTER_TEMPLATES/mail cannot be read (No such file or directory): {tmp_path}/none/mail."
    assert str(refused.value) == said


def test_our_own_mails_pass_what_those_of_an_operator_must(tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    made(templates=tmp_path)


def test_a_folder_of_pages_without_mails_changes_no_mail(tmp_path: Path) -> None:
    text, _ = parts(received(a_mail(), made(templates=tmp_path)))
    assert text.startswith("Hello Ana Pérez,\n")


def test_the_brand_is_in_the_mail_and_names_the_sender() -> None:
    branded = made(brand_name="Ærø & Søn", brand_colour="#006644", mail_from="noreply@acme.example")
    message = received(a_mail(), branded)
    text, page = parts(message)
    assert str(message["From"]) == "Ærø & Søn <noreply@acme.example>"
    assert '<td class="brand" align="center">Ærø &amp; Søn</td>' in page
    assert 'bgcolor="#006644"' in page
    assert "Ærø & Søn sent this mail automatically." in text
