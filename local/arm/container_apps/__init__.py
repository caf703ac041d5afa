"""Container Apps: what is asked and told of them, and the way to them under their own addresses."""
