"""What cloud removal does to a land-cover classifier that was trained on clear images (Hauptvogel, paper 1)."""
