"""What an instance reads: the base, and over it the tail of the log."""
