"""What a user starts on one scene.

Holds the steps (clean, classify, explain), the jobs of one step, the chain of all steps, and the result of a job. A
step writes checkpoints, so that a killed job can resume.
"""
