"""The way to the backend: its environment, its process, and the lines that it writes."""
