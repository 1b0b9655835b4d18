"""Every error that a caller can meet, with its fixed status, code and title.

The wire form is RFC 9457 (`app.http.error_handlers`); below the routers only these classes are raised.
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One bad field: a JSON pointer (RFC 6901) into the body, or a query parameter's name."""

    detail: str
    pointer: str | None = None
    parameter: str | None = None
    key: str | None = None
    """Of the detail in the catalogue, where pages say it, too."""


class RosterError(Exception):
    """Base of every error that reaches a caller; subclasses fix what it means."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Internal error"

    def __init__(
        self, detail: str, *, errors: tuple[FieldError, ...] = (), headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}


class InvalidError(RosterError):
    status = 422
    code = "validation_failed"
    title = "The request is not valid"


class AuthorizationRequestError(InvalidError):
    """Shown to the user by a page: an address that a client gives may not be trusted until it is proven."""

    status = 400
    code = "invalid_authorization_request"
    title = "The application's request is not in order"


class UnknownApplicationError(AuthorizationRequestError):
    code = "unknown_application"
    title = "No registered application has this client_id"


class UnregisteredAddressError(AuthorizationRequestError):
    code = "unregistered_address"
    title = "The application has not registered this address"


class RequestExpiredError(AuthorizationRequestError):
    code = "request_expired"
    title = "The application's request is too old, or was answered"


class MalformedJSONError(RosterError):
    status = 400
    code = "malformed_json"
    title = "The body is not strict JSON"


class MalformedFormError(RosterError):
    status = 400
    code = "malformed_form"
    title = "The body is not a multipart form"


class InvalidCursorError(RosterError):
    status = 400
    code = "invalid_cursor"  # RFC 9865's name
    title = "The cursor does not belong to this query"


class ExpiredCursorError(RosterError):
    status = 400
    code = "expired_cursor"  # RFC 9865's name
    title = "The cursor has expired"


class OAuthError(RosterError):
    """Answered in the form of RFC 6749, section 5.2; `code` is its `error`."""

    status = 400
    code = "invalid_request"
    title = "The request lacks a parameter, repeats one or is malformed"


class InvalidGrantError(OAuthError):
    code = "invalid_grant"
    title = "The credentials or the refresh token are not valid, or no longer valid"


class InvalidScopeError(OAuthError):
    code = "invalid_scope"
    title = "The scope is unknown, or wider than what was granted"


class InvalidClientError(OAuthError):
    """Answered with a challenge where the client tried HTTP Basic, as section 5.2 asks."""

    status = 401
    code = "invalid_client"
    title = "The client is unknown or did not authenticate"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": 'Basic realm="roster", charset="UTF-8"'})


class UnauthorizedClientError(OAuthError):
    code = "unauthorized_client"
    title = "The client may not do this"


class UnsupportedGrantTypeError(OAuthError):
    code = "unsupported_grant_type"
    title = "The grant type is not offered"


class AccessDeniedError(OAuthError):
    """Told to the client by a redirect, as those that follow (RFC 6749, section 4.1.2.1)."""

    code = "access_denied"
    title = "The user refused"


class UnsupportedResponseTypeError(OAuthError):
    code = "unsupported_response_type"
    title = "The response type is not offered"


class LoginRequiredError(OAuthError):
    code = "login_required"
    title = "The user has to sign in, which the request forbids to ask"


class ConsentRequiredError(OAuthError):
    code = "consent_required"
    title = "The user has to consent, which the request forbids to ask"


class UnmetAuthenticationError(OAuthError):
    code = "unmet_authentication_requirements"
    title = "The request needs a sign-in of a kind that is not offered"


class RequestNotSupportedError(OAuthError):
    code = "request_not_supported"
    title = "Requests as a JWT are not offered"


class RequestURINotSupportedError(OAuthError):
    code = "request_uri_not_supported"
    title = "The only requests by reference are those that were pushed"


class RegistrationNotSupportedError(OAuthError):
    code = "registration_not_supported"
    title = "Clients do not register by an authorization request"


class InvalidClientMetadataError(OAuthError):
    """Of RFC 7591, section 3.2.2, as the next."""

    code = "invalid_client_metadata"
    title = "What the client says of itself is not valid"


class InvalidRedirectURIError(OAuthError):
    code = "invalid_redirect_uri"
    title = "A redirect URI is not valid"


class AuthorizationPendingError(OAuthError):
    """Of RFC 8628, section 3.5, as the next two."""

    code = "authorization_pending"
    title = "The user has not decided yet about the device"


class SlowDownError(OAuthError):
    code = "slow_down"
    title = "The device asks too often"


class DeviceCodeExpiredError(OAuthError):
    code = "expired_token"
    title = "The device code has expired"


class UnauthenticatedError(RosterError):
    """No usable access token; `WWW-Authenticate` follows RFC 6750, section 3."""

    status = 401
    code = "unauthenticated"
    title = "Send an access token"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": 'Bearer realm="roster"'})


class NotSignedInError(UnauthenticatedError):
    code = "not_signed_in"
    title = "The browser has no session"


class InvalidTokenError(UnauthenticatedError):
    code = "invalid_token"
    title = "The access token is not valid"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        challenge = f'Bearer realm="roster", error="invalid_token", error_description="{detail}"'
        self.headers = {"WWW-Authenticate": challenge}


class ExpiredTokenError(InvalidTokenError):
    code = "token_expired"
    title = "The access token has expired"


class SessionExpiredError(InvalidTokenError):
    code = "session_expired"
    title = "The session has expired"


class SessionRevokedError(InvalidTokenError):
    code = "session_revoked"
    title = "The session was ended"


class SessionDisplacedError(InvalidTokenError):
    code = "session_displaced"
    title = "A newer sign-in took the session's place"


class RefreshTokenReusedError(InvalidTokenError):
    code = "refresh_token_reused"
    title = "A refresh token of the session was used twice"


class InsufficientScopeError(RosterError):
    status = 403
    code = "insufficient_scope"
    title = "The access token lacks the scope"

    def __init__(self, scope: str, detail: str | None = None) -> None:
        """`scope` is the one that would suffice."""
        challenge = f'Bearer realm="roster", error="insufficient_scope", scope="{scope}"'
        super().__init__(
            detail or f"This needs a token with the scope {scope}.", headers={"WWW-Authenticate": challenge}
        )


class WrongPasswordError(RosterError):
    status = 403
    code = "wrong_password"
    title = "The current password is wrong"


class PasswordNeededError(RosterError):
    status = 403
    code = "password_needed"
    title = "This needs your password"


class FormExpiredError(RosterError):
    status = 403
    code = "form_expired"
    title = "The form was not shown to this browser, or too long ago"


class SignInNeededError(RosterError):
    status = 403
    code = "sign_in_needed"
    title = "This needs a person who has signed in"


class ForeignPageError(RosterError):
    status = 403
    code = "foreign_page"
    title = "Only pages of the service itself may ask this"


class RegistrationClosedError(RosterError):
    status = 403
    code = "registration_closed"
    title = "Registration is closed"


class InvalidInvitationError(RosterError):
    status = 403
    code = "invalid_invitation"
    title = "The invitation is not valid, or no longer valid"


class InvalidCodeError(RosterError):
    status = 403
    code = "invalid_code"
    title = "The code of the mail is not valid, or no longer valid"

    def __init__(self) -> None:
        """The same for all reasons."""
        super().__init__(
            "The code is unknown, wrong, used, too old, or replaced by a later one: ask for a new mail."
        )


class ThrottledError(RosterError):
    status = 429
    code = "too_many_attempts"
    title = "Too many attempts"

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            f"Too many attempts: wait {retry_after} s.", headers={"Retry-After": str(retry_after)}
        )


class SessionNotFoundError(RosterError):
    status = 404
    code = "session_not_found"
    title = "No such session"


class TokenNotFoundError(RosterError):
    status = 404
    code = "token_not_found"
    title = "No such token"


class UserNotFoundError(RosterError):
    status = 404
    code = "user_not_found"
    title = "No such user"


class UserCodeNotFoundError(RosterError):
    status = 404
    code = "user_code_not_found"
    title = "No device waits with this code"


class InvitationNotFoundError(RosterError):
    status = 404
    code = "invitation_not_found"
    title = "No such invitation, or it has expired"


class ClientNotFoundError(RosterError):
    status = 404
    code = "client_not_found"
    title = "No such client"


class ConsentNotFoundError(RosterError):
    status = 404
    code = "consent_not_found"
    title = "No such consent"


class ImportNotFoundError(RosterError):
    status = 404
    code = "import_not_found"
    title = "No such import"


class BulkNotFoundError(RosterError):
    status = 404
    code = "bulk_not_found"
    title = "No such bulk change"


class MailNotFoundError(RosterError):
    status = 404
    code = "mail_not_found"
    title = "There is no such mail"


class AvatarNotFoundError(RosterError):
    status = 404
    code = "avatar_not_found"
    title = "No such picture, or there is a newer one"


class JobNotFoundError(RosterError):
    status = 404
    code = "job_not_found"
    title = "No such job"


class ExportNotFoundError(RosterError):
    status = 404
    code = "export_not_found"
    title = "No such export, or it has expired"


class ViewNotFoundError(RosterError):
    status = 404
    code = "view_not_found"
    title = "No such view"


class ScheduleNotFoundError(RosterError):
    status = 404
    code = "schedule_not_found"
    title = "No such schedule"


class NotAcceptableError(RosterError):
    status = 406
    code = "not_acceptable"
    title = "No format that the client accepts"


class UploadNotFoundError(RosterError):
    status = 404
    code = "upload_not_found"
    title = "No such upload, or it has expired"


class UploadStalledError(RosterError):
    status = 408
    code = "upload_stalled"
    title = "The rest of the body did not arrive"


class ImportNotPlannedError(RosterError):
    status = 409
    code = "import_not_planned"
    title = "The import has no plan"


class ImportNotAppliedError(RosterError):
    status = 409
    code = "import_not_applied"
    title = "Nothing of the import was applied"


class ImportRevertedError(RosterError):
    status = 409
    code = "import_reverted"
    title = "There is a revert of the import"


class ImportApplyingError(RosterError):
    status = 409
    code = "import_applying"
    title = "The import is being applied"


class BulkNotPlannedError(RosterError):
    status = 409
    code = "bulk_not_planned"
    title = "The bulk change has no plan"


class BulkNotAppliedError(RosterError):
    status = 409
    code = "bulk_not_applied"
    title = "Nothing of the bulk change was applied"


class BulkRevertedError(RosterError):
    status = 409
    code = "bulk_reverted"
    title = "There is a revert of the bulk change"


class BulkApplyingError(RosterError):
    status = 409
    code = "bulk_applying"
    title = "The bulk change is being applied"


class TooManyUsersError(RosterError):
    status = 422
    code = "too_many_users"
    title = "A bulk change finds more users than are allowed"


class UniqueConflictError(RosterError):
    status = 409
    code = "already_exists"
    title = "The value belongs to another user"


class ClientExistsError(RosterError):
    status = 409
    code = "client_exists"
    title = "The id belongs to another client"


class ClientHasNoSecretError(RosterError):
    status = 409
    code = "client_has_no_secret"
    title = "The client has no secret"


class MailOffError(RosterError):
    status = 409
    code = "mail_off"
    title = "Mail is off"


class MailEndedError(RosterError):
    status = 409
    code = "mail_ended"
    title = "The mail is sent, or of no use any more"


class OpenInvitationError(RosterError):
    status = 409
    code = "invitation_without_email"
    title = "The invitation is for anyone, so nobody can be mailed it"


class InactiveUserError(RosterError):
    status = 409
    code = "user_inactive"
    title = "The user is deactivated"


class WriteConflictError(RosterError):
    status = 409
    code = "write_conflict"
    title = "Others kept changing this user"


class LastAdministratorError(RosterError):
    status = 409
    code = "last_administrator"
    title = "The user is the last administrator"


class WebhookNotFoundError(RosterError):
    status = 404
    code = "webhook_not_found"
    title = "No such webhook"


class TooManyWebhooksError(RosterError):
    status = 409
    code = "too_many_webhooks"
    title = "The most webhooks are registered"


class TooManyViewsError(RosterError):
    status = 409
    code = "too_many_views"
    title = "The most views are saved"


class TooManyTokensError(RosterError):
    status = 409
    code = "too_many_tokens"
    title = "The most tokens are held"


class JobEndedError(RosterError):
    status = 409
    code = "job_ended"
    title = "The job has ended"


class DirectUploadsOffError(RosterError):
    status = 409
    code = "direct_uploads_off"
    title = "Nothing is uploaded to a bucket"


class UploadNotReadyError(RosterError):
    status = 409
    code = "upload_not_ready"
    title = "Nothing was uploaded"


class UploadDiffersError(RosterError):
    status = 409
    code = "upload_differs"
    title = "What was uploaded is not what was announced"


class ExportNotReadyError(RosterError):
    status = 409
    code = "export_not_ready"
    title = "The export has no file"


class IdempotencyKeyInUseError(RosterError):
    status = 409
    code = "idempotency_key_in_use"
    title = "A request with this key is in progress"


class PreconditionFailedError(RosterError):
    status = 412
    code = "version_mismatch"
    title = "It has changed since"


class TooLargeError(RosterError):
    status = 413
    code = "body_too_large"
    title = "The body is too large"


class FileTooLargeError(RosterError):
    status = 413
    code = "file_too_large"
    title = "The file is larger than is allowed"


class UnsupportedMediaTypeError(RosterError):
    status = 415
    code = "unsupported_media_type"
    title = "The body's media type is not supported"


class RangeNotSatisfiableError(RosterError):
    status = 416
    code = "range_not_satisfiable"
    title = "The range lies beyond the file"


class UnsupportedFileError(RosterError):
    status = 415
    code = "unsupported_file"
    title = "The file is not a spreadsheet that can be read"


class UnreadableFileError(RosterError):
    status = 422
    code = "unreadable_file"
    title = "Something in the file cannot be read"


class PictureTooLargeError(RosterError):
    status = 413
    code = "picture_too_large"
    title = "The picture takes more than is allowed"


class UnsupportedPictureError(RosterError):
    status = 415
    code = "unsupported_picture"
    title = "The picture is of no kind that is taken"


class UnreadablePictureError(RosterError):
    status = 422
    code = "unreadable_picture"
    title = "The picture cannot be read"


class QueryTooExpensiveError(RosterError):
    status = 422
    code = "query_too_expensive"
    title = "The query would take too long"


class IdempotencyKeyReusedError(RosterError):
    status = 422
    code = "idempotency_key_reused"
    title = "The key was used for another request"


class PreconditionRequiredError(RosterError):
    status = 428
    code = "if_match_required"
    title = "Say which version you are changing"


class UnavailableError(RosterError):
    """A backend did not answer within its budget; whether it did what it was asked is not known."""

    status = 503
    code = "unavailable"
    title = "A backend is not answering"

    def __init__(self, detail: str, *, retry_after: int = 1) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class LogoutNoticeRefusedError(RosterError):
    """Of a job: how it failed."""

    status = 502
    code = "logout_notice_refused"
    title = "The client refuses to be told of a sign-out"


class OverloadedError(UnavailableError):
    code = "overloaded"
    title = "The service is overloaded"


class BusyError(UnavailableError):
    code = "too_many_exports"
    title = "Too many exports are running"


class TooManyImportsError(UnavailableError):
    code = "too_many_imports"
    title = "Too many files are being uploaded"


class TooManyPicturesError(UnavailableError):
    code = "too_many_pictures"
    title = "Too many pictures wait"


class TooManyListenersError(UnavailableError):
    code = "too_many_listeners"
    title = "Too many listeners to events are connected"


class NotReadyError(UnavailableError):
    code = "not_ready"
    title = "The service is not ready"


class TooManySignInsError(UnavailableError):
    code = "too_many_sign_ins"
    title = "Too many sign-ins are waiting"


class StartError(Exception):
    """The process cannot start; the message is one sentence that says what to do."""
