"""Activations: links by which users who were created by others set their first password."""

from collections.abc import Sequence
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession

from app import audit
from app.accounts import account_records
from app.accounts.auth import Auth
from app.accounts.mailed_codes import send
from app.auth.access_tokens import Claims
from app.core.catalogue import Language
from app.core.errors import InactiveUserError, UserNotFoundError
from app.database.transactions import together


async def send_activation(auth: Auth, user_id: str, *, by: Claims, language: Language) -> None:
    """Mail a link by which the user sets a password, also to an address that others gave them.

    MailOffError; UserNotFoundError; InactiveUserError.
    """
    auth.outbox.check()
    await _send(auth, user_id, by, language)
    await auth.outbox.wake()


async def send_activations(
    auth: Auth, ids: Sequence[str], *, by: Claims, language: Language
) -> list[dict[str, Any]]:
    """The same for many: a status for each, in order."""
    auth.outbox.check()
    results = []
    for user_id in map(str.lower, ids):
        try:
            await _send(auth, user_id, by, language)
        except (UserNotFoundError, InactiveUserError) as error:
            results.append({"id": user_id, "status": error.status})
        else:
            results.append({"id": user_id, "status": 202})
    await auth.outbox.wake()
    return results


async def _send(auth: Auth, user_id: str, by: Claims, language: Language) -> None:
    account = await account_records.read(auth, user_id)
    if account is None:
        raise UserNotFoundError("There is no user with this id.")
    if not account.is_active:
        raise InactiveUserError("The user may not sign in: activate them first (`is_active`).")

    async def write(session: AsyncClientSession) -> None:
        await send(auth, account, "activate", language=language, session=session)

    await together(auth.database.client, write)
    audit.log.record("activation_sent", user_id=user_id, by=by.user_id)
