import pytest

from local.host.core.credentials import sanitize


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("RuntimeError: password=hunter2 is bad", "RuntimeError: [Hidden Credential]"),
        ('AccountKey=abc==";EndpointSuffix', '[Hidden Credential]";EndpointSuffix'),
        ("see http://x/?code=123 now", "see http://x/[Hidden Credential]"),
        ("PublicKeyToken=31bf", "PublicKeyToken=31bf"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_credentials_are_hidden(text: str, hidden: str) -> None:
    assert sanitize(text) == hidden
