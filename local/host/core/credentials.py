"""Credentials are hidden in every error text, as the Functions host hides them."""

import re

_CREDENTIALS = re.compile(
    r"(?:Token=|DefaultEndpointsProtocol=http|AccountKey=|Data Source=|Server=|Password=|pwd=|&amp;sig=|&sig=|\?sig=|"
    r"SharedAccessKey=|&amp;code=|&code=|\?code=|key=)[^<\"']*",
    re.IGNORECASE,
)


def sanitize(text: str) -> str:
    """Hide from a credential's name to the next quote or tag, as the Functions host does with every error text."""
    hidden = text.replace("PublicKeyToken=", "PublicKey\0=")
    return _CREDENTIALS.sub("[Hidden Credential]", hidden).replace("PublicKey\0=", "PublicKeyToken=")
