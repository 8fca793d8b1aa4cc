"""Training of the networks, with a finished model card as the result."""
