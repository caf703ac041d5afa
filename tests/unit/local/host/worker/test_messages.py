import pytest

from local.host.worker.messages import json_parameters


def test_only_json_objects_offer_parameters():
    assert json_parameters(' {"a": {"b": 1}}') == {"a": {"b": 1}}
    deep = '{"a":' * 20_000 + "1" + "}" * 20_000  # Python 3.13 reads 9,998
    assert [json_parameters(text) for text in ("[1]", "{no", "7", "", deep)] == [{}, {}, {}, {}, {}]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("7", "7"),
        ("1.0", "1"),
        ("1.5", "1.5"),
        ("true", "True"),
        ('"2026-05-01T10:00:00Z"', "05/01/2026 10:00:00"),
        ('"plain"', "plain"),
        ("null", None),
        ("[1]", None),
    ],
)
def test_a_parameter_is_the_text_that_dotnet_makes_of_it(value, text):
    assert json_parameters(f'{{"a": {value}}}').get("a") == text
