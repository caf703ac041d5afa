"""The peak of a process: what it had for a moment counts, what it had before does not."""

from bench.memory import peak_from_now


def test_what_was_held_for_a_moment_counts_and_what_was_held_before_does_not() -> None:
    before = bytearray(b"x" * (64 << 20))
    peak = peak_from_now()
    assert peak() < 32
    del before
    assert len(b"y" * (192 << 20)) == 192 << 20
    assert 96 < peak() < 224
