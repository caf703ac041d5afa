"""The outbox: each mail is claimed, written, checked and handed over at most once."""
