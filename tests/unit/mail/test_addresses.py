"""The settings of mail: what they mean, and what is refused."""

from typing import Any

import pytest

from app.core.errors import StartError
from app.core.settings import Settings, load
from app.mail import url
from app.mail.addresses import SmtpAddress, read_smtp, sender


@pytest.mark.parametrize(
    ("url", "address"),
    [
        (
            "smtp://ro%40er:p%2Fw@mail.example.com",
            SmtpAddress(
                "mail.example.com", 587, is_tls=False, starttls=True, username="ro@er", password="p/w"
            ),
        ),
        (
            "smtps://mail.example.com/",
            SmtpAddress("mail.example.com", 465, is_tls=True, starttls=False, username=None, password=None),
        ),
        (
            "smtp+plain://relay:2525",
            SmtpAddress("relay", 2525, is_tls=False, starttls=False, username=None, password=None),
        ),
        (
            "smtp://[::1]:1025",
            SmtpAddress("::1", 1025, is_tls=False, starttls=None, username=None, password=None),
        ),
        (
            "smtp+plain://a:b@localhost",
            SmtpAddress("localhost", 25, is_tls=False, starttls=False, username="a", password="b"),
        ),
    ],
)
def test_the_address_of_a_mail_server_says_how_it_is_spoken_to(url: str, address: SmtpAddress) -> None:
    assert read_smtp(url) == address


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("mail.example.com:587", "is not an address such as smtp://"),
        ("http://mail.example.com", "its schemes are smtp, smtps, smtp+plain"),
        ("smtp://", "is not an address"),
        ("smtp://mail.example.com:smtp", "has an invalid host or port"),
        ("smtp://user:pass/word@mail.example.com", "has an invalid host or port"),
        ("smtp://mail.example.com/inbox", "has more than user, password, host and port"),
        ("smtp://mail.example.com?tls=off", "has more than user, password, host and port"),
        ("smtp+plain://a:b@mail.example.com", "would send a password unencrypted"),
    ],
)
def test_another_address_is_refused_without_repeating_it(url: str, wrong: str) -> None:
    with pytest.raises(StartError, match=r"^ROSTER_SMTP_URL ") as refused:
        read_smtp(url)
    assert wrong in str(refused.value)
    assert "pass" not in str(refused.value).replace("password", "")


def test_mails_are_from_the_brand_unless_they_are_from_somebody() -> None:
    assert str(sender(_settings(brand_name="Zoë's"))) == "Zoë's <roster@localhost>"
    assert str(sender(_settings(mail_from="a@b.example", brand_name="Acme"))) == "Acme <a@b.example>"
    assert str(sender(_settings(mail_from='"People, Inc" <a@b.example>'))) == '"People, Inc" <a@b.example>'


@pytest.mark.parametrize(
    "text",
    [
        "a@b.example, c@d.example",
        "a b@c.example",
        "Ana",
        "<a@b.example",
        "ä@b.example",
        "A\r\nBcc: x <a@b.example>",
    ],
)
def test_whom_mails_are_from_is_one_address_in_ascii(text: str) -> None:
    with pytest.raises(StartError, match="ROSTER_MAIL_FROM must be one address in ASCII"):
        load(_env_file=None, mail_from=text)


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"smtp_url": "smtp://localhost"}, "ROSTER_SMTP_URL needs ROSTER_MAIL_FROM"),
        (
            {"smtp_url": "smtp://localhost", "mail_from": "a@b.example", "mail_folder": "mail"},
            "ROSTER_SMTP_URL sends mails and ROSTER_MAIL_FOLDER writes them",
        ),
    ],
)
def test_half_a_mail_server_is_refused(given: dict[str, str], wrong: str) -> None:
    with pytest.raises(StartError, match=wrong):
        load(_env_file=None, **given)


def test_links_are_absolute_and_escaped() -> None:
    settings = _settings(issuer="https://users.example.com/people")
    assert url(settings, "/auth/forgotten") == "https://users.example.com/people/auth/forgotten"
    assert url(settings, "/auth/sign-up", invitation="a b&c") == (
        "https://users.example.com/people/auth/sign-up?invitation=a+b%26c"
    )


def _settings(**given: Any) -> Settings:
    return Settings(_env_file=None, **given)
