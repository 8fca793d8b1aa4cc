"""The QGIS side of Sunbreak: it builds the backend's command line, runs it and loads the layers that it writes."""
