"""What each mail provider posts: its signatures checked, its events and received mail read."""
