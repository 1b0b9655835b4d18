"""What a client asks by SCIM, answered; loaded when the first asks, as the library takes half a second."""

from typing import Any

from scim2_models import SCIMException
from scim2_server.requests import ScimRequest

from app.accounts import Auth
from app.audit.write import Author
from app.auth.access_tokens import Claims
from app.scim.authority import Provisioner
from app.scim.links import Links
from app.scim.service import SERVICE, Storage, serve
from app.scim.users import ScimUsers
from app.users import Users

Reply = tuple[int, dict[str, Any] | None, dict[str, str]]
"""Status, body and headers."""


async def answer(request: ScimRequest, users: Users, auth: Auth, caller: Claims | None) -> Reply:
    """The reply. RosterError and the drivers' errors where the directory refuses."""
    client = caller.client_id if caller is not None else ""
    author = Author(caller.user_id if caller is not None else None, client, via="scim")
    seen = ScimUsers(
        users=users,
        auth=auth,
        links=Links(users.collection.database, client, "User"),
        authority=Provisioner(frozenset({"users:write"}), author),
    )
    try:
        served = await serve(request, Storage({"User": seen}))
    except SCIMException as error:
        served = SERVICE.error_response(error)
    return served.status, served.body, served.headers
