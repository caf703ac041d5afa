"""Routes of agents' accounts: registering, signing in, the profile, a new password, and the guards."""
