"""The QGIS side of Sunbreak: it fills in the command line of the backend, runs it, and loads what comes out."""
