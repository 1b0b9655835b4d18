"""Accounts: signing in and out, registration, passwords."""

from app.auth.accounts.admins import create_admin, has_admin
from app.auth.accounts.auth import Auth
from app.auth.accounts.browsers import (
    change_password_of_browser,
    read_account,
    register_browser,
    sign_in_browser,
    sign_out_browser,
)
from app.auth.accounts.grants import IssuedTokens, RequestSource, prove_password, refresh, sign_in
from app.auth.accounts.opaque import create_token, end_token
from app.auth.accounts.passwords import change_email, change_password, set_password
from app.auth.accounts.registration import register
from app.auth.accounts.sign_outs import end_session, sign_out, sign_out_all
from app.auth.accounts.throttling import lift_address, lift_throttle, see_throttle

__all__ = [
    "Auth",
    "IssuedTokens",
    "RequestSource",
    "change_email",
    "change_password",
    "change_password_of_browser",
    "create_admin",
    "create_token",
    "end_session",
    "end_token",
    "has_admin",
    "lift_address",
    "lift_throttle",
    "prove_password",
    "read_account",
    "refresh",
    "register",
    "register_browser",
    "see_throttle",
    "set_password",
    "sign_in",
    "sign_in_browser",
    "sign_out",
    "sign_out_all",
    "sign_out_browser",
]
