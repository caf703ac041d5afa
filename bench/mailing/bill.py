"""The monthly bill of the follow-ups of 10,000 clients, beside one replica that never stops."""


def main() -> None:
    """Print it."""
