"""The files of an account go after it, and those that no document names."""

from typing import Any

from activities.authcache.documents import Deleted, Forgotten
from orchestrators.authcache.documents import delete_stray_documents, forget_documents
from shared.authcache.documents.models import StraySearch


def test_the_files_of_the_user_are_deleted(player: Any) -> None:
    player.fakes = {"delete_documents": lambda _: Deleted(files=3)}
    task = Forgotten(user="ann", at_least=7)
    assert player.play(forget_documents, task) == Deleted(files=3)
    assert player.named("delete_documents") == [task]


def test_files_are_looked_at_a_minute_at_a_time_to_the_last_one(player: Any) -> None:
    answers = [StraySearch(cursor="expenses 2", deleted=3), StraySearch(deleted=4, done=True)]
    player.fakes = {"delete_strays": lambda _: answers[len(player.named("delete_strays")) - 1]}
    assert player.play(delete_stray_documents, StraySearch()) == answers[-1]
    assert player.named("delete_strays") == [StraySearch(), answers[0]]
