"""Whether a restored backup is what it says, and the database into which it is restored to see that."""
