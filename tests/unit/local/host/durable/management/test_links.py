import pytest

from local.host.durable.management import links


@pytest.mark.parametrize(
    ("text", "encoded"), [("sp ace", "sp+ace"), ("@odd@x", "%40odd%40x"), ("a'b~", "a%27b%7E"), ("€", "%E2%82%AC")]
)
def test_ids_are_encoded_as_in_dotnet(text: str, encoded: str) -> None:
    assert links.url_encode(text) == encoded
