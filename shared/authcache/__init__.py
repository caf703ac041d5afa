"""The auth cache: a log of blobs that users, shares and sessions are read from in microseconds."""
