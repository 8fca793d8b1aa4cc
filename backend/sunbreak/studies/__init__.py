"""The studies that Sunbreak grew from, as commands with a report."""
