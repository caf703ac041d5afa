"""Which of the papers come first: by their words, by their meaning, and both at once."""
