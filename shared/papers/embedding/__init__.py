"""From papers to vectors: which are missing, what computes them, and which version is searched."""
