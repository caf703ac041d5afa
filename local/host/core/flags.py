"""Settings that switch something on or off, in the texts that Azure's Python worker takes."""


def is_true(text: str | None) -> bool:
    """Whether the text says yes; any other, and none, does not."""
    return (text or "").strip().lower() in {"true", "1", "t", "y", "yes"}


def is_false(text: str | None) -> bool:
    """Whether the text says no; any other, and none, does not."""
    return (text or "").strip().lower() in {"false", "0", "f", "n", "no"}
