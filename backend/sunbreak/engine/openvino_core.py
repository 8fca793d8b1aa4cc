"""The `openvino.Core` of this process.

There is one, and it is kept until the process ends. Every core loads OpenVINO's plugin for the CPU anew, which sets the
stack on which the thread handles signals, and frees it together with the core. Cores that end in the order in which
they were made, or in another thread, leave a stack that is no longer there. The next signal, such as that of Ctrl+C,
then ends the process with a segmentation fault (seen with OpenVINO 2026.4.1 on Linux).
"""

from __future__ import annotations

import threading
from typing import Any

_making = threading.Lock()
_core: Any = None


def openvino_core() -> Any:
    """The `openvino.Core`. All threads may use it.

    Raises:
        ImportError: OpenVINO is not installed.
    """
    global _core
    with _making:
        if _core is None:
            import openvino

            _core = openvino.Core()
        return _core
