"""Passwords: how they are hashed, checked and compared, and what checking costs.

New hashes are argon2id. Those that others have made, of bcrypt and scrypt, go on working until their owner signs in.
"""
