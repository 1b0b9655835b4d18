"""How mails leave without a mail server, and what this service calls itself before one."""

import email
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from app.core.settings import Settings
from app.mail.delivery import AwayError, MailFolder, RefusedError, find_own_name, ways


def a_mail() -> EmailMessage:
    message = EmailMessage()
    message["To"] = "张伟 <zhang@example.com>"
    message["Message-ID"] = "<6b05f0a1e1b7a3d4c9f01239@localhost>"
    message.set_content("一封信\n")
    return message


async def test_a_folder_gets_one_private_file_for_each_mail(tmp_path: Path) -> None:
    [way] = ways(Settings(_env_file=None, mail_folder=tmp_path / "mail"))
    assert not way.is_open
    await way.open()
    await way.send(a_mail())
    await way.send(a_mail())
    [file] = (tmp_path / "mail").iterdir()
    assert file.name == "6b05f0a1e1b7a3d4c9f01239.eml"
    assert file.stat().st_mode & 0o777 == 0o600
    message = email.message_from_bytes(file.read_bytes(), policy=policy.default)
    assert message["To"].addresses[0].display_name == "张伟"
    await way.close()
    assert not way.is_open


async def test_an_address_that_is_not_ascii_stands_in_the_file_as_it_is(tmp_path: Path) -> None:
    message = a_mail()
    message.replace_header("To", "张伟 <用户@example.com>")
    way = MailFolder(tmp_path / "mail")
    await way.open()
    await way.send(message)
    [file] = (tmp_path / "mail").iterdir()
    assert "To: 张伟 <用户@example.com>\r\n" in file.read_bytes().decode()


async def test_a_folder_that_cannot_be_made_keeps_mails_waiting(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file")
    with pytest.raises(AwayError, match="the folder cannot be made: File exists"):
        await MailFolder(tmp_path / "mail").open()


async def test_a_file_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    way = MailFolder(tmp_path / "gone")
    with pytest.raises(RefusedError, match="the file cannot be written") as refused:
        await way.send(a_mail())
    assert not refused.value.is_final


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"issuer": "https://users.example.com/people"}, "users.example.com"),
        ({}, "[127.0.0.1]"),
        ({"host": "::1"}, "[IPv6:::1]"),
        ({"host": "localhost"}, "localhost"),
    ],
)
def test_a_mail_server_is_told_our_name_or_an_address_literal(settings: dict[str, Any], name: str) -> None:
    assert find_own_name(Settings(_env_file=None, **settings)) == name


def test_without_settings_there_is_no_way_out() -> None:
    assert ways(Settings(_env_file=None)) == []
