"""Connection to the backend: its environment, its process and its messages."""
