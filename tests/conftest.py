"""What every test stands on."""

from __future__ import annotations

import os

# As in the app's settings: outsiders' JSON must never be rebuilt as objects (read when azure.functions decodes).
os.environ["AZURE_FUNCTIONS_DURABLE_STRICT_TYPING"] = "1"

# Servers that tests share: `postgres`, `database`, `module_database`; `storage_connection`.
pytest_plugins = ["local.postgres.testing", "local.azurite.testing"]
