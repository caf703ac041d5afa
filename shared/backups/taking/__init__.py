"""A backup is taken: of one moment, in the chain that it belongs to."""
