"""Clients of the app and what they may do: `needs=ApiKey("diamonds:read")` lets in who proves to have the permission.

Three proofs, any one of them:

- `X-API-Key`: a key made by `python -m shared.platform.access.api_keys create`. The database holds its sha256 alone.
- `X-Client-Id`, `X-Timestamp` and `X-Signature`: HMAC-SHA256 with a secret that both sides have. To check a signature
  the server must know the secret itself, so it is never in the database: it comes from the setting HMAC_SECRETS, in
  Azure a Key Vault reference. What the client may do stands in the database like a key's permissions.
- `X-Admin-Key`: the operator's key, which has every permission and no quota. The console and operators need it.

Grants are held in memory for FRESH_SECONDS: so long, at most, a revoked key still works and a new one does not yet.
"""

from __future__ import annotations

from shared.platform.access.api_keys.grants import FRESH_SECONDS
from shared.platform.access.api_keys.guard import ApiKey

__all__ = ["FRESH_SECONDS", "ApiKey"]
