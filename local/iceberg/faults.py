"""What can be made to go wrong, each once or until it is taken back."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Faults:
    """What the catalog does instead of answering.

    Attributes:
        asleep: every request is answered 503.
        lost_answers: so many commits are made and answered 504.
        slow_seconds: a commit takes so long.
        one_snapshot: a commit that adds more than one snapshot is refused.
    """

    asleep: bool = False
    lost_answers: int = 0
    slow_seconds: float = 0
    one_snapshot: bool = False
    requests: int = 0

    def loses_answer(self) -> bool:
        """Whether the answer of this commit gets lost."""
        lost = self.lost_answers > 0
        self.lost_answers -= lost
        return lost
