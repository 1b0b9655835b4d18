"""Authlib's client for Starlette: the Python server of docs/sign-in.md."""

from clients import environment
from clients.programs import servers


def main() -> None:
    command = (environment.PYTHON, "-m", "uvicorn", "app:app", "--port", str(servers.PORT))
    with servers.running("app.py", servers.read("python"), *command, ready="Uvicorn running"):
        servers.sign_in_and_out(None)


main()
