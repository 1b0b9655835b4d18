"""`python -m app webhooks add | list | remove | resume | renew-secret | test | redeliver | keys | …`."""

from datetime import datetime
from typing import Annotated, get_args

import typer
from bson import ObjectId
from bson.errors import InvalidId

from app.commands.running import err, out, read_input, run_once, show_once
from app.core.errors import WebhookNotFoundError
from app.core.mongo import Row
from models.delivery import WebhookRedelivery
from models.event import Payload
from models.job import PageQuery
from models.webhook import DAY_S, WEEK_S, WebhookInput, WebhookPatch

cli = typer.Typer(help="Where events are posted.", no_args_is_help=True)

_Id = Annotated[str, typer.Argument(metavar="ID", help="The webhook's id.")]
_Overlap = Annotated[int, typer.Option(min=0, max=WEEK_S, help="Seconds for which earlier ones sign, too.")]


@cli.command("add")
def add_webhook(
    url: Annotated[str, typer.Argument(help="Where events are posted.")],
    *,
    types: Annotated[
        list[str] | None, typer.Option("--type", help="A type that is sent; repeat for more. None: all.")
    ] = None,
    wanted: Annotated[str, typer.Option("--filter", help="Filters of GET /users, as a query string.")] = "",
    payload: Annotated[str, typer.Option(help=" or ".join(get_args(Payload)))] = "thin",
    header: Annotated[
        list[str] | None, typer.Option(help="Sent besides, as `Name: value`; repeat for more.")
    ] = None,
) -> None:
    """Register a webhook; prints its id and, only once, its secret."""
    headers = dict(part.split(": ", 1) for part in header or () if ": " in part)
    if len(headers) < len(header or ()):
        raise typer.BadParameter("Write each header as `Name: value`, and each name once.")
    asked = read_input(
        WebhookInput,
        {"url": url, "types": types or [], "filter": wanted, "payload": payload, "headers": headers},
    )
    webhook, secret = run_once(lambda opened: opened.webhooks.create(asked, None))
    out.print(f"id: {webhook['_id']}", markup=False)
    _show(secret)


@cli.command("list")
def list_webhooks() -> None:
    """List the webhooks: id, state, URL and types."""
    for each in run_once(lambda opened: opened.webhooks.page(PageQuery(limit=100))).items:
        state = each["paused_for"] or ("active" if each["is_active"] else "off")
        typer.echo(f"{each['_id']}\t{state}\t{each['url']}\t{' '.join(each['types']) or 'all types'}")


@cli.command("remove")
def remove_webhook(webhook_id: _Id) -> None:
    """Remove a webhook with the log of its deliveries."""
    run_once(lambda opened: opened.webhooks.delete(_id(webhook_id)))
    out.print(f"{webhook_id} is removed.", markup=False)


@cli.command("resume")
def resume_webhook(webhook_id: _Id) -> None:
    """Let a webhook go on that was paused or is off: it gets what happened meanwhile, if that is kept."""
    run_once(lambda opened: opened.webhooks.patch(_id(webhook_id), WebhookPatch(is_active=True)))
    out.print(f"{webhook_id} goes on.", markup=False)


@cli.command("renew-secret")
def renew_secret(webhook_id: _Id, *, overlap: _Overlap = DAY_S) -> None:
    """Give a webhook a new secret, printed only once; earlier ones sign for another day unless told."""
    _show(run_once(lambda opened: opened.webhooks.renew_secret(_id(webhook_id), overlap_s=overlap)))


@cli.command("test")
def send_test(webhook_id: _Id) -> None:
    """Send an event of the type webhook.test, and say what was answered; exit 1 unless it was taken."""
    outcome = run_once(lambda opened: opened.webhooks.test(_id(webhook_id)))
    out.print(f"{outcome.status or outcome.failure} after {outcome.took_ms} ms", markup=False)
    if outcome.failure is not None:
        raise typer.Exit(1)


@cli.command("redeliver")
def redeliver(
    webhook_id: _Id,
    *,
    delivery: Annotated[str | None, typer.Option(help="The id of one delivery.")] = None,
    since: Annotated[datetime | None, typer.Option(help="All since that time (UTC).")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="All that failed for good.")] = False,
) -> None:
    """Deliver once more: one, all since a time, or all that failed."""
    asked = read_input(WebhookRedelivery, {"delivery": delivery, "since": since, "failed": failed or None})
    count = run_once(lambda opened: opened.webhooks.redeliver(_id(webhook_id), asked))
    out.print(f"{count} are delivered once more.", markup=False)


@cli.command("keys")
def list_keys() -> None:
    """Show the ed25519 keys whose signatures (v1a) every message has, the newest first."""
    _tell(run_once(lambda opened: opened.webhooks.keys.list_all()))


@cli.command("rotate-key")
def rotate_key(*, overlap: _Overlap = WEEK_S) -> None:
    """Make a new ed25519 key; earlier ones sign, too, for a week unless told."""
    _tell(run_once(lambda opened: opened.webhooks.keys.rotate(overlap_s=overlap)))


def _tell(keys: list[Row]) -> None:
    for key in keys:
        until = "" if key["expires_at"] is None else f"\tuntil {key['expires_at']:%Y-%m-%d %H:%M:%S}Z"
        typer.echo(f"{key['_id']}\t{key['public']}{until}")


def _id(text: str) -> ObjectId:
    try:
        return ObjectId(text)
    except InvalidId:
        raise WebhookNotFoundError("There is no webhook with this id.") from None


def _show(secret: str) -> None:
    show_once(f"secret: {secret}\n")
    err.print("Keep the secret now: it cannot be shown again.")
