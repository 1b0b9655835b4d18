"""A server that reads the keys of access tokens several times a second, so that no test waits for it."""

from functools import partial

from app import __main__, container
from app.keys.keyring import keep_current

LOOK_S = 0.2

if __name__ == "__main__":
    vars(container)["keep_current"] = partial(keep_current, every_s=LOOK_S)
    __main__.main()
