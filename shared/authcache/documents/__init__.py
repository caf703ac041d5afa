"""Documents: files of users in Blob Storage, of known kinds, seen by whom their owner shares with."""
