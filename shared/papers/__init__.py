"""Papers: from files of records to search that is never short and never silently approximate."""
