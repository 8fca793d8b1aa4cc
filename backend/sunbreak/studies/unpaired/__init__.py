"""The second study: cloud removal without pairs, judged by the Frechet distance."""
