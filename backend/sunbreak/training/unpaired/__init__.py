"""Training of the Augmented CycleGAN on unpaired cloudy and clear images.

Holds batches, losses, training step, training loop, and the validation by the Frechet distance.
"""
