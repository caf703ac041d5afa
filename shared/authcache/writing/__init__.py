"""How an instance writes: groups of records, each created at the next LSN."""
