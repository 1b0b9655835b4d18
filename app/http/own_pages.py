"""Requests that only our own pages may make: those in which the browser's cookie counts."""

from urllib.parse import urlsplit

from starlette.requests import Request

from app.core.errors import ForeignPageError
from app.http.dependencies import backends


def require(request: Request) -> None:
    """ForeignPageError unless the browser says that a page of our origin asks (W3C, Fetch Metadata).

    Every browser names the origin of what a script posts; a request without either was made by no page.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    is_own = is_own_origin(request, origin) if origin is not None else site == "same-origin"
    if not is_own or site not in {"same-origin", None}:
        raise ForeignPageError("The request was made by no page of this service.")


def is_own_origin(request: Request, origin: str) -> bool:
    """Whether it is the issuer's, or the one that the request came to."""
    own = urlsplit(backends(request).settings.issuer_url).netloc
    return urlsplit(origin).netloc in {own, request.headers.get("host")}
