"""One job over many scenes.

Holds the manifest, which lists the scenes, and the runner, which gives each scene a folder of its own.
"""
