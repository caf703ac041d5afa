"""Whether a mail may be handed over: the facts, the checks on them, the brakes, and the explanation."""
