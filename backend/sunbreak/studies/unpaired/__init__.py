"""The second study: cloud removal trained without pairs, evaluated by the Frechet distance."""
