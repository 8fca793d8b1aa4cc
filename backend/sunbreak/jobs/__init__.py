"""Jobs on one scene.

`spec` describes a job and `execute` runs it. A job is made of steps (detect, clean, classify, explain); the chain runs
them one after another. A step writes checkpoints, so that a killed job can be resumed.
"""
