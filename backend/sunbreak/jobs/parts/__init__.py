"""One large scene in parts: horizontal parts, cut at strips of tiles, each computed by a worker of a cluster.

The layers are the same to the bit as those of one process. `spread` divides the work and puts the rows together in one
process, `work` does a part on a worker, `files` is what lies between them: a folder that all of them see.
"""
