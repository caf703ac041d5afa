"""Why a record cannot become a paper."""

from __future__ import annotations


class RecordRejected(Exception):
    """A record that cannot become a paper; its text is the reason, for whoever sent the file."""
