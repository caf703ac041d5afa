"""A durable client that no host answers."""

from shared.platform.durable import DurableClient


class Hostless(DurableClient):
    """The base of tests' own clients: they say what a test's calls are answered, and any other call fails."""

    def __init__(self) -> None:
        """Leave out what speaks to a host."""
