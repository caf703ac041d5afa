"""What people are told of the papers."""
