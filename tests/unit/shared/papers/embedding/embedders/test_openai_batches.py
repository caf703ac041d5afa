"""A line of what a batch answered: the vector of its text, or why there is none."""

import base64
import json
import struct
from uuid import UUID

import pytest

from shared.papers.embedding.embedders.openai_batches import answer_of
from tests.present import present

PAPER = UUID(int=7)


def line(embedding=None, *, status=200, cut=0, named=None, **body):
    found = {"data": [{"embedding": embedding}], "usage": {"total_tokens": 12}} if status == 200 else body
    response = {"status_code": status, "body": found}
    return json.dumps({"custom_id": named or f"{PAPER}/{cut}", "response": response, "error": None})


@pytest.mark.parametrize("packed", [True, False])
def test_a_vector_gets_the_length_one(packed):
    numbers = [3.0, 0.0, 4.0]
    embedding = base64.b64encode(struct.pack("<3f", *numbers)).decode() if packed else numbers
    answer = present(answer_of(line(embedding, cut=1), 3))
    assert answer.paper_id == PAPER
    assert answer.vector.tolist() == pytest.approx([0.6, 0.0, 0.8])
    assert (answer.cut, answer.tokens, answer.reason) == (True, 12, "")


@pytest.mark.parametrize("named", ["no-id/0", "", "7"])
def test_a_line_that_names_no_paper_is_none(named):
    assert answer_of(line([1.0], named=named or "/"), 1) is None
    assert answer_of("{ not json", 1) is None


@pytest.mark.parametrize("embedding", [[1.0, 2.0], [0.0, 0.0, 0.0], ["x", 1, 2], "no base64!", None])
def test_what_is_no_vector_is_its_texts_fault(embedding):
    answer = present(answer_of(line(embedding), 3))
    assert answer.vector is None
    assert answer.by_text
    assert answer.reason == "The embeddings service answered with what is no vector of 3 numbers."


@pytest.mark.parametrize(("status", "by_text"), [(400, True), (413, True), (422, True), (429, False), (500, False)])
def test_a_status_says_whether_the_text_is_to_blame(status, by_text):
    answer = present(answer_of(line(status=status, error={"message": "Too long"}), 3))
    assert (answer.vector, answer.by_text) == (None, by_text)
    assert answer.reason == f"The embeddings service answered {status}: Too long."
