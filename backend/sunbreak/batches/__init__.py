"""One job over many scenes.

Holds the manifest, which lists the scenes, the job descriptions made from it, and the runner, which gives each scene a
folder of its own. The package is not called `batch`, because `sunbreak.batch` is the function.
"""
