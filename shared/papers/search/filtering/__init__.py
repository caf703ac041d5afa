"""Which papers a filter lets in: its grammar, its conditions in SQL, and how many they are."""
