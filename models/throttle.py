"""Throttles of users and addresses, as administrators see them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from models import answers

MOST_COUNTERS = 102
"""The counters of a user: one for each known address, one for all others, one for weak passwords."""

OfAddress = Literal[
    "registrations",
    "refused_registrations",
    "weak_passwords",
    "client_secrets",
    "client_registrations",
    "user_codes",
    "mails",
    "mail_codes",
]
"""What is counted by address alone, besides its sign-ins."""
Counts = Literal["sign_ins", "sign_ins_elsewhere", "sign_ins_known_address", OfAddress]
"""What a counter counts."""

EXAMPLE: dict[str, Any] = {
    "waits_until": "2026-01-31T08:00:08.123000Z",
    "counters": [
        {
            "counts": "sign_ins_elsewhere",
            "failures": 9,
            "failed_at": "2026-01-31T08:00:00.123000Z",
            "waits_until": "2026-01-31T08:00:08.123000Z",
            "forgotten_at": "2026-01-31T08:15:00.123000Z",
        }
    ],
}

WaitsUntil = Annotated[
    answers.Moment | None, Field(description="When the next try is allowed; null: at once.")
]


class CounterOutput(BaseModel):
    counts: Annotated[
        Counts,
        Field(
            description="For a user: wrong passwords from one address that the user has signed in from, and "
            "from all others together; new passwords that were too weak. For an address: wrong passwords, "
            "registrations, refused registrations, passwords that were too weak, wrong secrets of clients, "
            "clients that registered themselves, wrong codes of devices, mails that were asked for, and "
            "wrong codes of mails."
        ),
    ]
    failures: answers.Count
    failed_at: Annotated[answers.Moment, Field(description="The time of the last one.")]
    waits_until: WaitsUntil
    forgotten_at: Annotated[answers.Moment, Field(description="When all are forgotten, unless more come.")]


class ThrottleOutput(BaseModel):
    model_config = answers.shown(EXAMPLE)

    waits_until: WaitsUntil
    counters: Annotated[
        list[CounterOutput], Field(max_length=MOST_COUNTERS, description="The counters with failures.")
    ]
