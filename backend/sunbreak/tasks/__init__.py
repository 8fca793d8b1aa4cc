"""What a user asks for: finding clouds, removing them."""
