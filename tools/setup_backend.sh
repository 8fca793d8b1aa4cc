#!/bin/sh
# Creates .venv at the root of the checkout and installs the backend into it, with the versions of requirements.lock.
# PYTHON names another interpreter. pip's variables (PIP_INDEX_URL, PIP_EXTRA_INDEX_URL, PIP_FIND_LINKS ...) apply, for
# example to choose a CPU-only or a CUDA build of torch.
set -eu
cd "$(dirname "$0")/.."

suits() { "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; }

python=${PYTHON:-}
if [ -z "$python" ]; then
    for candidate in python3 python3.13 python3.12 python3.11 python3.10; do
        if suits "$candidate"; then python=$candidate; break; fi
    done
fi
if [ -z "$python" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq && apt-get install -y -qq --no-install-recommends python3 python3-venv
        python=/usr/bin/python3
    else
        echo "No Python 3.10 to 3.13 was found. Install one: sudo apt-get install python3 python3-venv" >&2
        exit 1
    fi
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv
    else
        echo "$python cannot create virtual environments. Install the missing package: sudo apt-get install python3-venv" >&2
        exit 1
    fi
fi
[ -x .venv/bin/python ] || "$python" -m venv .venv
lock="-c requirements.lock"
if .venv/bin/python -c 'import sys; sys.exit(sys.version_info[:2] >= (3, 11))'; then lock=""; fi
echo "Installing the backend into .venv (a few minutes the first time)"
# shellcheck disable=SC2086 -- empty on purpose for Python 3.10, for which some locked versions do not exist
.venv/bin/python -m pip install -q --disable-pip-version-check $lock -e '.[openvino,clouds,test,lint]'
