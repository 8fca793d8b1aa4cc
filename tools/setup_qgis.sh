#!/bin/sh
# Creates .venv-qgis with access to the system's QGIS, for the plugin's tests. Installs QGIS with apt if allowed.
# Exit status 3: QGIS is missing and must not be installed; the command to install it is printed.
set -eu
cd "$(dirname "$0")/.."
packages="qgis python3-qgis xvfb xauth gdal-bin python3-venv"

if ! /usr/bin/python3 -c 'import qgis.core' 2>/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing QGIS (about 2 minutes)"
        apt-get update -qq
        # shellcheck disable=SC2086
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null
    else
        echo "QGIS is not installed, so the plugin's tests are skipped. To run them: sudo apt-get install $packages" >&2
        exit 3
    fi
fi
[ -x .venv-qgis/bin/python ] || /usr/bin/python3 -m venv --system-site-packages .venv-qgis
# pip takes no constraints with hashes for what has none in it
sed -n 's/^\([A-Za-z0-9._-]*==[^ ;+\\]*\).*/\1/p' requirements.lock >.venv-qgis/constraints.txt
.venv-qgis/bin/python -m pip install -q --disable-pip-version-check -c .venv-qgis/constraints.txt pytest pytest-timeout 'pytest-qgis>=2,<6'
