"""`python -m app mail preview`, as an operator runs it on templates of their own."""

from email import message_from_bytes
from email.policy import default
from pathlib import Path

from tests.support.live import command


def test_every_mail_is_written_in_three_forms_and_both_languages(tmp_path: Path) -> None:
    done = command(tmp_path, "mail", "preview", issuer="https://users.example.com", brand_name="Acme")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "data" / "mail-preview"
    named = [Path(line.partition("\t")[0]).name for line in done.stdout.splitlines()]
    assert len(named) == 30
    assert {path.name for path in folder.iterdir()} == {
        name.replace(".html", suffix) for name in named for suffix in (".html", ".txt", ".eml")
    }
    message = message_from_bytes((folder / "invitation.zh.eml").read_bytes(), policy=default)
    assert message["Subject"] == "邀请您加入 Acme"
    assert "https://users.example.com/auth/sign-up?invitation=" in (folder / "invitation.zh.txt").read_text()


def test_one_mail_is_written_where_one_wants_it(tmp_path: Path) -> None:
    done = command(
        tmp_path,
        "mail",
        "preview",
        "activate",
        "--language",
        "zh",
        "--folder",
        str(tmp_path / "there" / "now"),
    )
    assert done.stdout == f"{tmp_path}/there/now/activate.zh.html\t激活您的 Roster 账号\n"
    assert sorted(path.name for path in (tmp_path / "there" / "now").iterdir()) == [
        "activate.zh.eml",
        "activate.zh.html",
        "activate.zh.txt",
    ]


def test_a_wrong_template_is_said_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "own" / "mail").mkdir(parents=True)
    (tmp_path / "own" / "mail" / "activate.txt").write_text("Hello,\n{{ nmae }}\n")
    for arguments in (("mail", "preview"), ("serve",)):
        done = command(tmp_path, *arguments, templates=tmp_path / "own")
        assert done.returncode == 1
        assert done.stderr == (
            "Roster cannot start. ROSTER_TEMPLATES/mail: activate.txt, line 2: 'nmae' is undefined.\n"
        )


def test_a_folder_that_cannot_be_made_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = command(tmp_path, "mail", "preview", "--folder", str(tmp_path / "file" / "here"))
    assert done.returncode == 2
    assert done.stderr == f"The mails cannot be written (Not a directory): {tmp_path}/file/here.\n"
