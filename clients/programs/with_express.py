"""express-openid-connect: the Node server of docs/sign-in.md."""

from clients import environment
from clients.programs import servers


def main() -> None:
    text = servers.read(
        "js", **{"127.0.0.1:3000": f"127.0.0.1:{servers.PORT}", "listen(3000": f"listen({servers.PORT}"}
    )
    with servers.running("app.mjs", text, environment.NODE, "app.mjs", ready="listens"):
        servers.sign_in_and_out("/logout")


main()
