"""`/mails`: what waits to be sent, what was sent, and what could not be."""

from fastapi import APIRouter, status

from app.core.errors import InvalidError, MailEndedError, MailNotFoundError
from app.http import mail_replies
from app.http.dependencies import Administrator, Backends, MailId, MailOptions, query_parameters
from app.http.json_route import JsonRoute
from app.http.problems import PAGED, PROTECTED, responses
from models.mail import MailOutput, MailPage, MailQuery

router = APIRouter(prefix="/mails", tags=["mails"], route_class=JsonRoute)


@router.get(
    "",
    summary="Mails, the newest first",
    openapi_extra=query_parameters(MailQuery),
    responses=responses(*PAGED, *PROTECTED),
)
async def list_mails(_: Administrator, asked: MailOptions, opened: Backends) -> MailPage:
    """Those of the last two weeks, without what they say."""
    return mail_replies.mails(await opened.outbox.page(asked))


@router.get(
    "/{mail_id:oid}", summary="One mail", responses=responses(MailNotFoundError, InvalidError, *PROTECTED)
)
async def read_mail(mail_id: MailId, _: Administrator, opened: Backends) -> MailOutput:
    """Whether it was sent, and if not, what the mail server answered."""
    return mail_replies.describe(await opened.outbox.find(mail_id))


@router.post(
    "/{mail_id:oid}/send",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Send a mail now",
    responses=responses(MailNotFoundError, MailEndedError, InvalidError, *PROTECTED),
)
async def send_mail(mail_id: MailId, _: Administrator, opened: Backends) -> MailOutput:
    """One that waits or has failed, once more; not one that was sent, whose content is erased."""
    return mail_replies.describe(await opened.outbox.send_again(mail_id))


@router.delete(
    "/{mail_id:oid}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Drop a mail that waits",
    responses=responses(MailNotFoundError, MailEndedError, InvalidError, *PROTECTED),
)
async def drop_mail(mail_id: MailId, _: Administrator, opened: Backends) -> None:
    """It is not sent, unless that has begun."""
    await opened.outbox.drop(mail_id)
