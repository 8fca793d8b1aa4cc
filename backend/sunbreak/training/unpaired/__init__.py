"""Training of the Augmented CycleGAN on cloudy and clear images without pairs.

Holds batches, losses, the training step, the loop, and the validation by the Frechet distance.
"""
