"""Who has an account, how they show it, and what they may see of one another."""
