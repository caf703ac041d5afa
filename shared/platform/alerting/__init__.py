"""Mail and chat messages to people when something needs them."""
