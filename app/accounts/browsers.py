"""Browsers: signed in, registered, given a new password and signed out by the pages."""

from app import audit
from app.accounts import account_records
from app.accounts.account_records import Account
from app.accounts.auth import Auth
from app.accounts.grants import RequestSource, prove_password
from app.accounts.passwords import replace_password
from app.accounts.registration import register
from app.auth.sessions import BrowserSession
from app.clients import BUILT_IN
from app.core.catalogue import Language
from app.core.errors import SessionRevokedError
from models.account import Registration


async def sign_in_browser(
    auth: Auth, *, name: str, password: str, source: RequestSource, cookie: str | None
) -> str:
    """The browser's new cookie. Errors as `prove_password`."""
    account = await prove_password(auth, name=name, password=password, source=source)
    await account_records.note_sign_in(auth, account, source.address, source.agent)
    return await _begin(auth, account, source, cookie)


async def register_browser(
    auth: Auth, asked: Registration, *, source: RequestSource, cookie: str | None, language: Language
) -> str | None:
    """Register, and sign in: the browser's new cookie; or None as `register`, and errors as that."""
    row = await register(auth, asked, source=source, language=language)
    if row is None:
        return None
    account = await read_account(auth, str(row["_id"]))
    await account_records.note_sign_in(auth, account, source.address, source.agent)
    return await _begin(auth, account, source, cookie)


async def change_password_of_browser(
    auth: Auth, browser: BrowserSession, *, current: str, new: str, source: RequestSource, cookie: str | None
) -> str:
    """Change the password and end all sessions: the browser's new cookie. Errors as `change_password`."""
    account = await replace_password(
        auth,
        browser.user_id,
        current=current,
        new=new,
        sid=browser.sid,
        client_id=BUILT_IN.id,
        source=source,
    )
    return await _begin(auth, account, source, cookie)


async def sign_out_browser(
    auth: Auth, browser: BrowserSession, *, source: RequestSource, client_id: str | None = None
) -> None:
    """`client_id`: of the client that asked for it."""
    await auth.browsers.end(browser)
    audit.log.record(
        "signed_out", user_id=browser.user_id, sid=browser.sid, client_id=client_id, address=source.address
    )


async def read_account(auth: Auth, user_id: str) -> Account:
    """SessionRevokedError: the user is gone, or may not sign in any more."""
    account = await account_records.read(auth, user_id)
    if account is None or not account.is_active:
        raise SessionRevokedError("This session was ended: sign in again.")
    return account


async def _begin(auth: Auth, account: Account, source: RequestSource, cookie: str | None) -> str:
    browser, renewed = await auth.browsers.begin(
        account.user_id, account.generation, address=source.address, agent=source.agent, cookie=cookie
    )
    audit.log.record(
        "signed_in",
        user_id=account.user_id,
        sid=browser.sid,
        client_id=BUILT_IN.id,
        address=source.address,
    )
    return renewed
