"""Names that nobody can see are none, in every workload."""

import unicodedata
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from shared.authcache.accounts.models import ImportedUser, Profile, Registration
from shared.authcache.documents.models import DocumentFields
from shared.authcache.properties.models import PropertyFields
from shared.deploys.models.requests import Parameters
from shared.followups.people.cadences import CadenceStep
from shared.followups.people.models import AgentProfile, NewClient, NewTask
from shared.followups.sending.editing import EmailChange
from shared.papers.sources import text
from shared.papers.sources.rejected import RecordRejected
from shared.platform.printable import Line, Name, is_seen
from triggers.followups.accounts.agents import RegisterRequest
from triggers.followups.clients import AllowAgain
from triggers.followups.operator import StopRequest
from triggers.operations.runs import Termination

UNSEEN = {
    "zero width space": "\u200b",
    "joiners": "\u200d\u200c",
    "word joiner": "\u2060",
    "byte order mark": "\ufeff",
    "soft hyphen": "\u00ad",
    "direction": "\u202e\u200f",
    "no-break spaces": "\u00a0\u2007\u202f",
    "ideographic space": "\u3000",
    "Hangul filler": "\u3164",
    "half-width filler": "\uffa0",
    "Hangul jamo fillers": "\u115f\u1160",
    "empty Braille": "\u2800",
    "variation selectors": "\ufe0f\U000e0100",
    "tags": "\U000e0020\U000e0041",
    "Mongolian separators": "\u180e\u180b",
    "grapheme joiner": "\u034f",
    "Khmer vowels": "\u17b4\u17b5",
    "invisible plus": "\u2064",
    "noncharacter": "\ufdd0",
    "private": "\ue000",
    "marks alone": "\u0301\u20dd",
    "several": " \u200b\u00a0\u3164 ",
}
SEEN = ["A", "é", "山", "👩‍🚀", "❤️", "1", "-", "می‌خواهم", "\u200bAnn", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "한"]

FIELDS: list[tuple[type[BaseModel], str]] = [
    (Registration, "first_name"),
    (Registration, "last_name"),
    (Profile, "first_name"),
    (ImportedUser, "last_name"),
    (PropertyFields, "display_name"),
    (DocumentFields, "file_name"),
    (Parameters, "projectName"),
    (Parameters, "userId"),
    (AgentProfile, "name"),
    (RegisterRequest, "name"),
    (CadenceStep, "followup_type"),
    (NewTask, "followup_type"),
    (EmailChange, "subject"),
    (EmailChange, "body"),
    (AllowAgain, "reason"),
    (StopRequest, "reason"),
    (Termination, "reason"),
]


@pytest.mark.parametrize("unseen", UNSEEN.values(), ids=UNSEEN)
@pytest.mark.parametrize(("model", "field"), FIELDS, ids=lambda one: getattr(one, "__name__", one))
def test_a_name_of_nothing_that_is_seen_is_refused(model: type[BaseModel], field: str, unseen: str) -> None:
    with pytest.raises(ValidationError) as refused:
        model.model_validate({field: unseen})
    [found] = [error for error in refused.value.errors() if error["loc"][:1] == (field,)]
    assert "can be seen" in found["msg"]


@pytest.mark.parametrize("seen", SEEN)
def test_every_name_of_which_something_is_seen_stays_as_it_is(seen: str) -> None:
    assert is_seen(seen)
    name: Any = TypeAdapter(Name).validate_python(seen)
    assert name == seen
    assert text.title(unicodedata.normalize("NFC", seen)) == unicodedata.normalize("NFC", seen).strip("\ufeff")


@pytest.mark.parametrize("unseen", UNSEEN.values(), ids=UNSEEN)
def test_a_line_of_nothing_that_is_seen_is_empty(unseen: str) -> None:
    assert TypeAdapter(Line).validate_python(unseen) == ""
    assert NewClient.model_validate({"email": "ann@example.com", "name": unseen}).name == ""


@pytest.mark.parametrize("unseen", UNSEEN.values(), ids=UNSEEN)
def test_a_paper_without_a_title_that_is_seen_is_rejected(unseen: str) -> None:
    with pytest.raises(RecordRejected, match="no title"):
        text.title(unseen)
    with pytest.raises(RecordRejected, match="no id"):
        text.identifier(unseen)
    assert text.names([unseen, "Ann"]) == ("Ann",)
    assert text.abstract(unseen) is None
