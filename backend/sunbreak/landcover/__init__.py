"""Land cover of a scene.

Holds classification by sliding patches, the saliency maps that explain it, and the check of how faithful they are.
Reads the fraction of reconstructed pixels that a cleaned scene brings with it.
"""
