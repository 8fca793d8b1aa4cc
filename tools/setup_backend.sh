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
echo "Installing the backend into .venv (a few minutes the first time)"
pip=".venv/bin/python -m pip install -q --disable-pip-version-check"
# some locked versions do not exist for Python 3.10
if .venv/bin/python -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11))'; then
    # Every file is checked against its hash, except those of torch and of what only some of its builds need: they may
    # come from another index. pip takes no constraints with hashes for them.
    awk '/^[A-Za-z0-9._-]+==/ { keep = !/^torch==/ } /^#/ || keep' requirements.lock >.venv/hashed.txt
    sed -n 's/^\([A-Za-z0-9._-]*==[^ ;+\\]*\).*/\1/p' requirements.lock >.venv/constraints.txt
    $pip --no-deps --require-hashes -r .venv/hashed.txt
    $pip -c .venv/constraints.txt -e '.[test,lint]'
else
    $pip -e '.[test,lint]'
fi
