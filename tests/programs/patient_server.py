"""A server that waits for a worker's answer longer than any test lasts."""

from app import __main__
from app.commands import serving

if __name__ == "__main__":
    serving._STARTING_S = 3600
    __main__.main()
