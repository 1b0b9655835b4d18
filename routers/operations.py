"""`/settings` and `/signing-keys`: what a process runs with, for those who operate it."""

from fastapi import APIRouter

from app.http import replies
from app.http.dependencies import Administrator, Backends
from app.http.json_route import JsonRoute
from app.http.problems import PROTECTED, responses
from models.setting import SettingList
from models.signing_key import SigningKeyList, SigningKeyOutput

router = APIRouter(tags=["operations"], route_class=JsonRoute)


@router.get("/settings", summary="The settings in force", responses=responses(*PROTECTED))
async def list_settings(_: Administrator, opened: Backends) -> SettingList:
    """As the answering process read them at its start; secrets without their values."""
    return replies.settings(opened.settings)


@router.get("/signing-keys", summary="The keys that sign tokens", responses=responses(*PROTECTED))
async def list_signing_keys(_: Administrator, opened: Backends) -> SigningKeyList:
    """The newest first. Their public halves are in `/.well-known/jwks.json`."""
    return SigningKeyList(items=list(map(replies.signing_key, await opened.auth.keyring.list())))


@router.post("/signing-keys", summary="The key that signs next", responses=responses(*PROTECTED))
async def create_signing_key(caller: Administrator, opened: Backends) -> SigningKeyOutput:
    """Made, unless one waits already. It signs in a minute, once all processes know it.

    Tokens of the others stay valid until they expire.

    For a stolen key, whose tokens must be void at once: `python -m app keys rotate --at-once`.
    """
    return replies.signing_key(await opened.auth.keyring.make_next(by=caller.user_id))
