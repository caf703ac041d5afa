"""A backup is restored into an empty database, in an order that gives back early what most callers need.

First all tables but those of vectors, with their keys and indexes; then the vectors, by which search by meaning works
again, exactly; their index last. What was done is noted in the schema `restoring` of that database, so that a restore
which was killed goes on.
"""
