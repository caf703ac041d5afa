"""Which schemas of a database are the app's."""

from __future__ import annotations

NOT_OURS = "n.nspname not in ('information_schema', 'restoring') and not starts_with(n.nspname, 'pg_')"
"""Schemas that are the server's, or a restore's own notes."""
