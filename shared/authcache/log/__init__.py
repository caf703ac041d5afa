"""The log: what happened, in the order of its LSNs, one blob a group of records."""
