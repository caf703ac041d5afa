"""Who calls, and what they may do: the guards of routes, keys, signatures, sign-in, quotas."""
