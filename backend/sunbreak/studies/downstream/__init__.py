"""The effect of cloud removal on a land-cover classifier that was trained on clear images (Hauptvogel, paper 1)."""
