"""Backups of the database: every schema, in files that this app restores and checks by itself."""
