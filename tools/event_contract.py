"""docs/events.md, written from the declared events: `python -m tools.event_contract > docs/events.md`."""

import sys
from collections.abc import Iterator

import orjson
from pydantic import BaseModel

from models.event import CONTRACT, DECLARED, EXAMPLE_EVENT

HEAD = f"""# Events

The contract of what Roster tells others, version {CONTRACT}: at webhooks ([guide](guide.md#webhooks)) and to
those who follow `/events`. What is added leaves the version as it is, so ignore what you do not know; what is
taken away or changed raises it.

```json
{orjson.dumps(EXAMPLE_EVENT, option=orjson.OPT_INDENT_2).decode()}
```

- `id` is that of the event, each time it is delivered. It may come more than once: keep the ids that you have
  done, or let doing it twice change nothing.
- Events of one user come in the order in which they were committed, those with a `version` by it. Nothing is
  said of the order of events of different users.
- `timestamp` is when it happened.
- `data` names what changed, and holds no value of anybody (`thin`). With the payload `full` the data of
  `user.…` has the user as they are when it is sent, too, as `current`.
- Sessions end by `session.ended`, and by each event of a user with `ends_sessions`. A session that expires is
  no event.
- A receiver whose events were kept no longer gets `events.reset` first: list the users anew.
- `webhook.test` is sent when somebody asks for it, and concerns nobody.

"""


def page() -> str:
    return HEAD + "\n".join(_types()) + "\n" + "\n".join(_payloads())


def _types() -> Iterator[str]:
    yield "| Type | When | `data` |"
    yield "|---|---|---|"
    for name, (model, text) in DECLARED.items():
        yield f"| `{name}` | {text} | [{model.__name__}](#{model.__name__.lower()}) |"


def _payloads() -> Iterator[str]:
    for model in dict.fromkeys(model for model, _ in DECLARED.values()):
        yield f"\n## {model.__name__}\n\n{_sentence(model)}\n"
        yield "| Field | Type | Meaning |"
        yield "|---|---|---|"
        yield from map("| {} |".format, map(" | ".join, _fields(model)))


def _sentence(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split())


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, str, str]]:
    schema = model.model_json_schema()
    for name, field in schema["properties"].items():
        kinds = " or ".join(choice.get("type", "object") for choice in field.get("anyOf", [field]))
        values = ", ".join(f"`{value}`" for value in field.get("enum", ()))
        yield f"`{name}`", values or kinds, str(field.get("description", ""))


if __name__ == "__main__":
    sys.stdout.write(page())
