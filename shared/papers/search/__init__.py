"""From a question to papers: filters, meaning, words, and what was asked by name."""
