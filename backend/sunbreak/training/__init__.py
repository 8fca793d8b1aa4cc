"""Training of the networks. The result is a model with its card."""
