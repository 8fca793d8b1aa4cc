#!/bin/sh
# Takes a screenshot of QGIS Desktop with Sunbreak, on a virtual display (needs qgis, xvfb and xauth).
#
#   tools/screenshot.sh [S2.tif S1.tif [FOLDER]]
#
# Runs "Clean, classify, explain" on a scene (the demo scene with its other dates) inside QGIS and writes chain-layers.png
# into FOLDER (docs/images).
# The backend is the one of SUNBREAK_PYTHON, or the checkout's .venv.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
[ $# -ne 1 ] || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
SUNBREAK_SHOT_S2=$(realpath -e "${1:-$here/resources/demo/demo_s2_cloudy.tif}")
SUNBREAK_SHOT_S1=$(realpath -e "${2:-$here/resources/demo/demo_s1.tif}")
SUNBREAK_SHOT_FOLDER=$(realpath "${3:-$here/docs/images}")
export SUNBREAK_SHOT_S2 SUNBREAK_SHOT_S1 SUNBREAK_SHOT_FOLDER

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/plugins" "$work/profiles/profiles/default/QGIS" "$work/run"
chmod 700 "$work/run"
ln -s "$here" "$work/plugins/sunbreak"
printf '[PythonPlugins]\nsunbreak=true\nprocessing=true\n' > "$work/profiles/profiles/default/QGIS/QGIS3.ini"

# without GDAL_PAM_ENABLED=NO, QGIS writes statistics beside the input files
GDAL_PAM_ENABLED=NO QGIS_PLUGINPATH="$work/plugins" XDG_RUNTIME_DIR="$work/run" timeout 900 \
    xvfb-run -a -s "-screen 0 1440x900x24" \
    "$(command -v qgis.bin || command -v qgis)" --nologo --noversioncheck --profiles-path "$work/profiles" \
    --code "$here/tools/screenshot.py" 2> "$work/log" || { tail -40 "$work/log" >&2; exit 1; }
[ ! -x "$here/.venv/bin/python" ] || "$here/.venv/bin/python" "$here/tools/shrink_pictures.py" "$SUNBREAK_SHOT_FOLDER/chain-layers.png"
ls -l "$SUNBREAK_SHOT_FOLDER/chain-layers.png"
