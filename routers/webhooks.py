"""`/webhooks`: where events are posted, and what became of them."""

from dataclasses import asdict

from fastapi import APIRouter, Response, status

from app.core.errors import InvalidError, TooManyWebhooksError, UnavailableError, WebhookNotFoundError
from app.http import webhook_replies
from app.http.dependencies import (
    Backends,
    DeliveryOptions,
    PageOptions,
    WebhookId,
    WebhookManager,
    query_parameters,
)
from app.http.json_route import JsonRoute
from app.http.problems import BODY, PAGED, PROTECTED, responses
from models.delivery import DeliveryPage, DeliveryQuery, WebhookRedelivered, WebhookRedelivery
from models.job import PageQuery
from models.webhook import (
    NewWebhook,
    WebhookInput,
    WebhookKeys,
    WebhookOutput,
    WebhookPage,
    WebhookPatch,
    WebhookSecret,
    WebhookSecretRenewal,
    WebhookTest,
)

router = APIRouter(tags=["webhooks"], route_class=JsonRoute, prefix="/webhooks")


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    summary="Register a webhook",
    responses=responses(TooManyWebhooksError, *BODY, *PROTECTED),
)
async def create_webhook(
    body: WebhookInput, caller: WebhookManager, opened: Backends, response: Response
) -> NewWebhook:
    """It gets what happens from now on. Its secret is shown only now."""
    stored, secret = await opened.webhooks.create(body, caller.user_id)
    response.headers["Location"] = f"/webhooks/{stored['_id']}"
    return webhook_replies.created(stored, secret)


@router.get(
    "",
    summary="Webhooks, the oldest first",
    openapi_extra=query_parameters(PageQuery),
    responses=responses(*PAGED, *PROTECTED),
)
async def list_webhooks(asked: PageOptions, _caller: WebhookManager, opened: Backends) -> WebhookPage:
    """Of everybody, without their secrets."""
    return webhook_replies.page(await opened.webhooks.page(asked))


@router.get("/keys", summary="The keys of `v1a` signatures", responses=responses(UnavailableError))
async def read_webhook_keys(opened: Backends) -> WebhookKeys:
    """Anybody may read them: by these a receiver verifies without a secret."""
    return webhook_replies.keys(await opened.webhooks.keys.list_all())


@router.get(
    "/{webhook_id:oid}",
    summary="One webhook",
    responses=responses(WebhookNotFoundError, InvalidError, *PROTECTED),
)
async def read_webhook(webhook_id: WebhookId, _caller: WebhookManager, opened: Backends) -> WebhookOutput:
    """Without its secrets."""
    return webhook_replies.webhook(await opened.webhooks.read(webhook_id))


@router.patch(
    "/{webhook_id:oid}",
    summary="Change a webhook, stop it or let it go on",
    responses=responses(WebhookNotFoundError, *BODY, *PROTECTED),
)
async def patch_webhook(
    webhook_id: WebhookId, body: WebhookPatch, _caller: WebhookManager, opened: Backends
) -> WebhookOutput:
    """What is left out stays. One that goes on gets what happened meanwhile, as far as it is kept."""
    return webhook_replies.webhook(await opened.webhooks.patch(webhook_id, body))


@router.delete(
    "/{webhook_id:oid}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Remove a webhook",
    responses=responses(WebhookNotFoundError, InvalidError, *PROTECTED),
)
async def delete_webhook(webhook_id: WebhookId, _caller: WebhookManager, opened: Backends) -> None:
    """With the log of its deliveries; what is under way may still arrive."""
    await opened.webhooks.delete(webhook_id)


@router.post(
    "/{webhook_id:oid}/secret",
    summary="Give a webhook a new secret",
    responses=responses(WebhookNotFoundError, *BODY, *PROTECTED),
)
async def renew_webhook_secret(
    webhook_id: WebhookId, body: WebhookSecretRenewal, _caller: WebhookManager, opened: Backends
) -> WebhookSecret:
    """For the overlap messages are signed by the earlier ones, too, so that the receiver can change over."""
    return WebhookSecret(secret=await opened.webhooks.renew_secret(webhook_id, overlap_s=body.overlap))


@router.post(
    "/{webhook_id:oid}/test",
    summary="Send a test",
    responses=responses(WebhookNotFoundError, InvalidError, *PROTECTED),
)
async def send_test_webhook(webhook_id: WebhookId, _caller: WebhookManager, opened: Backends) -> WebhookTest:
    """An event of the type `webhook.test`, once and now; also where the webhook is paused or off."""
    outcome = asdict(await opened.webhooks.test(webhook_id))
    return WebhookTest(**{name: outcome[name] for name in WebhookTest.model_fields})


@router.get(
    "/{webhook_id:oid}/deliveries",
    summary="Deliveries of a webhook, the newest first",
    openapi_extra=query_parameters(DeliveryQuery),
    responses=responses(WebhookNotFoundError, *PAGED, *PROTECTED),
)
async def list_webhook_deliveries(
    webhook_id: WebhookId, asked: DeliveryOptions, _caller: WebhookManager, opened: Backends
) -> DeliveryPage:
    """What waits, was delivered or failed, kept as long as events are."""
    return webhook_replies.deliveries(await opened.webhooks.deliveries(webhook_id, asked))


@router.post(
    "/{webhook_id:oid}/redeliver",
    summary="Deliver once more",
    responses=responses(WebhookNotFoundError, *BODY, *PROTECTED),
)
async def redeliver_webhook(
    webhook_id: WebhookId, body: WebhookRedelivery, _caller: WebhookManager, opened: Backends
) -> WebhookRedelivered:
    """One delivery, all since a time, or all that failed; each under the `webhook-id` that it had."""
    return WebhookRedelivered(deliveries=await opened.webhooks.redeliver(webhook_id, body))
