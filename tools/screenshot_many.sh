#!/bin/sh
# Takes screenshots of *Process many scenes* and of the options in QGIS Desktop, on a virtual display (needs qgis, xvfb,
# xauth).
#
#   tools/screenshot_many.sh [FOLDER [MORE]]      writes many-scenes.png (docs/images), and others to look at into MORE
#
# The backend is the one of SUNBREAK_PYTHON, or the checkout's .venv.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
SUNBREAK_SHOT_DEMO=$here/resources/demo
SUNBREAK_SHOT_FOLDER=$(realpath "${1:-$here/docs/images}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
SUNBREAK_SHOT_MORE=$(realpath "${2:-$work}")
export SUNBREAK_SHOT_DEMO SUNBREAK_SHOT_FOLDER SUNBREAK_SHOT_MORE
mkdir -p "$work/plugins" "$work/profiles/profiles/default/QGIS" "$work/run"
chmod 700 "$work/run"
ln -s "$here" "$work/plugins/sunbreak"
printf '[PythonPlugins]\nsunbreak=true\nprocessing=true\n' > "$work/profiles/profiles/default/QGIS/QGIS3.ini"

# without GDAL_PAM_ENABLED=NO, QGIS writes statistics beside the input files
GDAL_PAM_ENABLED=NO QGIS_PLUGINPATH="$work/plugins" XDG_RUNTIME_DIR="$work/run" TMPDIR="$work" timeout 900 \
    xvfb-run -a -s "-screen 0 1440x900x24" \
    "$(command -v qgis.bin || command -v qgis)" --nologo --noversioncheck --profiles-path "$work/profiles" \
    --code "$here/tools/screenshot_many.py" 2> "$work/log" || { tail -40 "$work/log" >&2; exit 1; }
[ ! -x "$here/.venv/bin/python" ] || "$here/.venv/bin/python" "$here/tools/shrink_pictures.py" "$SUNBREAK_SHOT_FOLDER/many-scenes.png"
ls -l "$SUNBREAK_SHOT_FOLDER/many-scenes.png"
