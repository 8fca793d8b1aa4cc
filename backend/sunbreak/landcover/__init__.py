"""Land cover of a scene.

Holds classification by sliding patches, trust, saliency maps with their faithfulness, and the reader of the
reconstructed fraction of a cleaned scene.
"""
