"""Runs the command ``rustac`` so that it ends with the process that started it, also if that one is killed (Linux).

A file of its own, because rustac takes its arguments from the process, whose first one must be the script.
"""

import ctypes
import signal
import sys

from rustac import main

if __name__ == "__main__":
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
    main()
