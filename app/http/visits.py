"""Visits of pages: who visits, and on the way of which application."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from app import accounts
from app.accounts import RequestSource
from app.accounts.account_records import Account
from app.auth.sessions import BrowserSession
from app.clients import Client
from app.core.errors import RosterError
from app.http import authorization_replies, browser_cookie, pages
from app.http.dependencies import backends
from app.oauth.authorization import Flow, Redirect
from app.oauth.oauth import OAuth
from app.oauth.openid.logouts import Logout
from app.pages import Problem, View

_PLACES = frozenset({"device", "email", "password", "results"})
"""Where `next` may lead after a sign-in: pages of ours alone."""


@dataclass(frozen=True, slots=True)
class Visit:
    request: Request
    auth: OAuth
    source: RequestSource
    browser: BrowserSession | None
    flow: Flow | None
    logout: Logout | None
    client: Client | None
    """The application that sent the browser."""

    @property
    def cookie(self) -> str | None:
        return browser_cookie.read(self.request)

    @property
    def application(self) -> str | None:
        """Its name."""
        return None if self.client is None else self.client.name

    async def read_account(self) -> Account:
        """Of the session that the browser has. SessionRevokedError: it ends at this moment."""
        return await accounts.read_account(self.auth, self.browser.user_id if self.browser else "")

    async def name_user(self) -> str:
        return (await self.read_account()).email

    async def read_form(self, page: type[View]) -> dict[str, str]:
        """The fields of a page's form. FormExpiredError unless it was shown to this browser, and session."""
        return await pages.read_form(self.request, bound=self._bound(page))

    def show(self, view: View, *, problem: Problem | None = None, status: int = 200) -> Response:
        return pages.show(
            self.request,
            view,
            problem=problem,
            status=status,
            bound=self._bound(type(view)),
            leaves=self._wish is not None,
            locales=self._wish.ui_locales if self._wish else None,
        )

    def refuse(self, view: View, error: RosterError, texts: Mapping[str, str] | None = None) -> Response:
        """The page again, with what is wrong."""
        page = self.show(view, problem=pages.problem_of(error, texts), status=error.status)
        page.headers.update(pages.passing_headers(error))
        return page

    @property
    def _wish(self) -> Flow | Logout | None:
        """What the application wishes."""
        return self.flow or self.logout

    def _bound(self, page: type[View]) -> str:
        return self.browser.sid if page.is_personal and self.browser else ""

    def lead(self, path: str, **query: str) -> Response:
        """303 to a page of ours."""
        root = self.request.scope.get("root_path", "")
        return RedirectResponse(f"{root}/auth/{path}{'?' * bool(query)}{urlencode(query)}", 303)

    def lead_to_sign_in(self, place: str | None = None) -> Response:
        """To the sign-in, and after that to the page of this name, unless an application's flow goes on."""
        return self.lead("sign-in", **self._kept() | ({"next": place} if place and not self.flow else {}))

    def lead_out(self) -> Response:
        """To where the application wishes after a sign-out, unless it was removed; else to our page of it."""
        if self.logout is not None and self.logout.location is not None and self.client is not None:
            return authorization_replies.answer(Redirect(self.logout.location, {}))
        return self.lead("sign-out")

    def lead_on(self) -> Response:
        """To what the visit is for."""
        kept = self._kept()
        if self.flow is not None:
            return self.lead("continue", flow=kept["flow"])
        place = kept.pop("next", "")
        return self.lead(place, **kept) if place in _PLACES else self.lead("sign-in")

    def _kept(self) -> dict[str, str]:
        return {name: value for name in pages.KEPT if (value := self.request.query_params.get(name))}


async def read(request: Request, source: RequestSource) -> Visit:
    """AuthorizationRequestError: what the application wishes is forged or too old."""
    auth, query = backends(request).auth, request.query_params
    flow = auth.authorization.open(query["flow"]) if query.get("flow") else None
    logout = auth.logouts.open(query["logout"]) if query.get("logout") else None
    client_id = flow.client_id if flow else logout.client_id if logout else None
    return Visit(
        request=request,
        auth=auth,
        source=source,
        browser=await auth.browsers.find(browser_cookie.read(request)),
        flow=flow,
        logout=logout,
        client=None if client_id is None else await auth.clients.find(client_id),
    )
