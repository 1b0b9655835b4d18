"""Accounts: signing in and out, registration, passwords."""

from app.accounts.activations import send_activation, send_activations
from app.accounts.admins import create_admin, has_admin
from app.accounts.auth import Auth
from app.accounts.browsers import (
    change_password_of_browser,
    read_account,
    register_browser,
    sign_in_browser,
    sign_out_browser,
)
from app.accounts.email_changes import (
    change_email,
    change_email_of_browser,
    confirm_email,
    take_back_email,
    telling,
)
from app.accounts.grants import IssuedTokens, RequestSource, prove_password, refresh, sign_in
from app.accounts.opaque import create_token, end_token
from app.accounts.password_input import open_password
from app.accounts.passwords import change_password, set_password
from app.accounts.registration import register
from app.accounts.resets import ask_activation, ask_reset, reset_password
from app.accounts.sign_outs import end_session, sign_out, sign_out_all, sign_out_everywhere
from app.accounts.throttling import lift_address, lift_throttle, see_throttle
from app.accounts.verification import ask_own_verification, ask_verification, verify_email

__all__ = [
    "Auth",
    "IssuedTokens",
    "RequestSource",
    "ask_activation",
    "ask_own_verification",
    "ask_reset",
    "ask_verification",
    "change_email",
    "change_email_of_browser",
    "change_password",
    "change_password_of_browser",
    "confirm_email",
    "create_admin",
    "create_token",
    "end_session",
    "end_token",
    "has_admin",
    "lift_address",
    "lift_throttle",
    "open_password",
    "prove_password",
    "read_account",
    "refresh",
    "register",
    "register_browser",
    "reset_password",
    "see_throttle",
    "send_activation",
    "send_activations",
    "set_password",
    "sign_in",
    "sign_in_browser",
    "sign_out",
    "sign_out_all",
    "sign_out_browser",
    "sign_out_everywhere",
    "take_back_email",
    "telling",
    "verify_email",
]
