"""Properties: what users keep, and show to those whom they share with."""
