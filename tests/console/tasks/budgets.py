"""What the console's tasks may cost: clicks and keystrokes, fixed before their views were there.

The bound of each is what a peer's documentation has one do for the same: each control that it names is a
click, as is each field that is filled in. Where a peer cannot do it, what its documentation offers instead
counts. KC is Keycloak's *Server Administration Guide*, P is Payload's documentation: docs/console.md has the
sections.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Budget:
    clicks: int
    """A choice from a list is two: it is opened, and chosen from."""
    keys: int
    """Keystrokes, each letter of what has to be typed among them."""
    peer: int
    """Clicks by the peer's documentation."""
    why: str


BUDGETS: Final = {
    "change the city of somebody whose name is half known and misspelt": Budget(
        3,
        30,
        6,
        "KC Searching for a user: Users, search, user; Attributes, value, Save.",
    ),
    "deactivate 300 by department and undo it": Budget(
        12,
        30,
        24,
        "P Bulk operations: filter 5, select all 2, Edit, field 2, value, Save; all of it again to undo.",
    ),
    "mend three refused rows of a spreadsheet": Budget(
        12,
        75,
        20,
        "P Importing Data: drawer, file 2, mode 2, Import, result 2; 3 cells and Save elsewhere; again 8.",
    ),
    "end the sessions of somebody who lost a laptop": Budget(
        3, 12, 5, "KC Viewing user sessions: Users, search, user, Sessions, sign out."
    ),
    "find who changed a phone number and put it back": Budget(
        3,
        12,
        6,
        "P Versions: search, document, Versions, version, Restore, confirm.",
    ),
    "create somebody": Budget(4, 60, 7, "KC Creating users: Users, Add user, four fields, Save."),
    "delete somebody": Budget(
        4,
        50,
        5,
        "KC Deleting a user: Users, search, menu, Delete, confirm. Here the address is typed.",
    ),
    "deactivate somebody": Budget(4, 12, 5, "KC: Users, search, user, Enabled, confirm."),
    "invite somebody to choose a password": Budget(
        5,
        60,
        7,
        "KC Setting a password for a user: Users, user, Credentials, Credential Reset, action 2, Send Email.",
    ),
    "tag three people": Budget(8, 15, 8, "P Bulk operations: three boxes, Edit, field 2, value, Save."),
    "let somebody read the directory": Budget(
        4, 12, 6, "KC Assigning role mappings: Users, user, Role mappings, Assign role, role, Assign."
    ),
    "see who signed in last, and the page after": Budget(3, 0, 3, "P List View: column twice, next page."),
    "see who is inactive in a country": Budget(
        6,
        12,
        13,
        "P Where builder: Filters, Add, field 2, operator 2, value; Add, field 2, operator 2, value.",
    ),
    "show phones in the table": Budget(3, 0, 3, "P Columns: Columns, the column, Columns."),
    "export those who match": Budget(
        6, 0, 6, "P Exporting Data: list menu, Export, current filters, format 2, Download."
    ),
    "save a view and come back to it": Budget(
        5, 20, 7, "P Query Presets: preset menu 2, Create, title, Save; menu, preset."
    ),
    "see which jobs failed": Budget(
        3, 2, 7, "P Jobs collection: jobs, Filters, Add, field, operator, value 2."
    ),
    "see all that one administrator changed": Budget(
        3, 2, 5, "KC Auditing admin events: Events, Admin events, search, user, Search."
    ),
    "make a new signing key": Budget(
        3,
        2,
        7,
        "KC Adding a generated key pair: Realm settings, Keys, Providers, Add provider 2, priority, Save.",
    ),
    "register an application": Budget(
        6, 60, 6, "KC Creating an OpenID Connect client: Clients, Create client, type, id, name, Save."
    ),
}
