"""A deployment at work: what its steps are given, the slot that it holds, the log that it writes."""
