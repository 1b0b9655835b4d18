"""A Postfix of its own on loopback, which delivers into one mailbox and sends nothing anywhere."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Final

NEEDS: Final = """make mta needs Postfix, and root, as its daemons change users:
  apt-get install --no-install-recommends postfix   (choose "No configuration"; it is not started)"""
REFUSED: Final = "refused@example.com"
GREYLISTED: Final = "later@example.com"

_MAIN: Final = f"""
compatibility_level = 3.6
queue_directory = {{folder}}/queue
data_directory = {{folder}}/data
maillog_file = {{folder}}/log
maillog_file_prefixes = {{folder}}
myhostname = mta.example
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
alias_maps =
default_transport = error:nothing leaves this machine
relay_transport = error:nothing leaves this machine
virtual_mailbox_domains = example.com, xn--bcher-kva.example
virtual_mailbox_base = {{folder}}
virtual_mailbox_maps = static:mailbox/
virtual_uid_maps = static:{{user}}
virtual_gid_maps = static:{{group}}
virtual_minimum_uid = 1
smtpd_recipient_restrictions =
    check_recipient_access inline:{{{{
        {{{{ {REFUSED} = 550 5.1.1 Nobody has this mailbox }}}}
        {{{{ {GREYLISTED} = 450 4.7.1 Greylisted, try again later }}}} }}}}
    permit_mynetworks, reject
"""
_MASTER: Final = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
proxymap unix - - n - - proxymap
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""
_STARTS_IN_S: Final = 30


@dataclass(frozen=True, slots=True)
class Postfix:
    port: int
    version: str
    folder: Path

    def read_mailbox(self) -> list[EmailMessage]:
        """What was delivered so far."""
        files = (self.folder / "mailbox" / "new").glob("*")
        parsed = [message_from_bytes(path.read_bytes(), policy=default) for path in files]
        return [each for each in parsed if isinstance(each, EmailMessage)]


def is_missing() -> bool:
    return shutil.which("postfix") is None or os.geteuid() != 0


@contextmanager
def running() -> Iterator[Postfix]:
    """It takes mails when entered."""
    with tempfile.TemporaryDirectory(prefix="roster-postfix-") as name:
        folder, port = Path(name), _find_port()
        folder.chmod(0o755)  # its daemons are other users
        _configure(folder, port)
        command = ("postfix", "-c", str(folder / "etc"))
        _run(*command, "start")
        try:
            _wait(port)
            yield Postfix(port, _run("postconf", "-h", "mail_version").strip(), folder)
        finally:
            _run(*command, "stop")


def _configure(folder: Path, port: int) -> None:
    owner = pwd.getpwnam("nobody")
    for name in ("etc", "queue", "data", "mailbox"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix")
    shutil.chown(folder / "mailbox", owner.pw_uid, owner.pw_gid)
    main = _MAIN.format(folder=folder, user=owner.pw_uid, group=owner.pw_gid)
    (folder / "etc" / "main.cf").write_text(main)
    (folder / "etc" / "master.cf").write_text(_MASTER.format(port=port))


def _find_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        return int(free.getsockname()[1])


def _wait(port: int) -> None:
    end = time.monotonic() + _STARTS_IN_S
    while time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                if connection.recv(3) == b"220":
                    return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("Postfix does not answer.")


def _run(*command: str) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
