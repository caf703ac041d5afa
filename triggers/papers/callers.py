"""What the API key of a caller has to allow."""

from __future__ import annotations

from shared.platform.access.api_keys import ApiKey

READ = ApiKey("papers:read")
INGEST = ApiKey("papers:ingest")
ENRICH = ApiKey("papers:enrich")
"""To make vectors and maps, and to say which of their versions are seen."""
