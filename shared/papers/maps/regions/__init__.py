"""Regions of a map: which papers lie together, and what each region is called."""
