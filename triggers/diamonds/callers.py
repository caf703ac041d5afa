"""What the API key of a caller has to allow."""

from __future__ import annotations

from shared.platform.access.api_keys import ApiKey

READ = ApiKey("diamonds:read")
TRADE = ApiKey("diamonds:trade")
PRICING = ApiKey("diamonds:pricing")
RUN = ApiKey("diamonds:run")
"""To start, control and look into runs, and to settle what is open at suppliers."""
