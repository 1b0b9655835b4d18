"""Cookies of the browser: its session, what its forms are bound to, and the language that it chose.

Where the service is reached by https they have the prefix `__Host-`, so that no other host, nor a page of
plain http, can set them (RFC 6265bis, section 4.1.3.2). On loopback's http no browser takes that prefix.
"""

from dataclasses import dataclass

from fastapi import Request, Response

from app.http.dependencies import backends


@dataclass(frozen=True, slots=True)
class Cookie:
    """Ends with the browser, unless it restores its tabs; scripts do not see it."""

    name: str

    def read(self, request: Request) -> str | None:
        return request.cookies.get(self._name(request))

    def write(self, request: Request, response: Response, value: str) -> None:
        response.set_cookie(
            self._name(request), value, path="/", secure=_is_tls(request), httponly=True, samesite="lax"
        )

    def clear(self, request: Request, response: Response) -> None:
        response.delete_cookie(
            self._name(request), path="/", secure=_is_tls(request), httponly=True, samesite="lax"
        )

    def _name(self, request: Request) -> str:
        return f"__Host-{self.name}" if _is_tls(request) else self.name


def _is_tls(request: Request) -> bool:
    return backends(request).settings.issuer_url.startswith("https:")


_SESSION = Cookie("roster_session")
FORM = Cookie("roster_form")
LANGUAGE = Cookie("roster_language")

read = _SESSION.read
write = _SESSION.write
clear = _SESSION.clear
