"""Shared access signatures, the tokens that a client derives from the key in its connection string."""

import base64
import hashlib
import hmac
from urllib.parse import parse_qs, unquote

_PREFIX = "SharedAccessSignature "


def refusal(token: str, key: str | None, now: float) -> str | None:
    """Why the token is not accepted, or None if it is.

    `now` is seconds since 1970. Without a `key` any signature passes, as with Microsoft's emulator; form and expiry are
    held in any case. Rules: "Service Bus access control with Shared Access Signatures".
    """
    if not token.startswith(_PREFIX):
        return "The token is no SharedAccessSignature."
    fields = {name: values[0] for name, values in parse_qs(token.removeprefix(_PREFIX)).items()}
    missing = [name for name in ("sr", "sig", "se", "skn") if name not in fields]
    if missing or not fields["se"].isdigit():
        return f"The token lacks {', '.join(missing) or 'an expiry time'}."
    if int(fields["se"]) <= now:
        return "The token has expired."
    if key is None:
        return None
    # The signed text holds the resource in the encoding of the sender, so it is taken from the token as it stands.
    resource = next(part[3:] for part in token.removeprefix(_PREFIX).split("&") if part.startswith("sr="))
    signed = f"{resource}\n{fields['se']}".encode()
    expected = base64.b64encode(hmac.new(key.encode(), signed, hashlib.sha256).digest()).decode()
    given = next(part[4:] for part in token.removeprefix(_PREFIX).split("&") if part.startswith("sig="))
    return None if hmac.compare_digest(expected, unquote(given)) else "The token's signature is invalid."
