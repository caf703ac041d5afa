"""The files of an account go after it."""

from typing import Any

from activities.authcache.documents import Deleted, Forgotten
from orchestrators.authcache.documents import forget_documents


def test_the_files_of_the_user_are_deleted(player: Any) -> None:
    player.fakes = {"delete_documents": lambda _: Deleted(files=3)}
    task = Forgotten(user="ann", at_least=7)
    assert player.play(forget_documents, task) == Deleted(files=3)
    assert player.named("delete_documents") == [task]
