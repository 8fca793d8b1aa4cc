"""Networks, model cards, the registry, and the import of foreign checkpoints."""
