#!/bin/sh
# Takes screenshots of QGIS Desktop that finds, loads and cleans the demo place, on a virtual display (needs qgis, xvfb,
# xauth). The catalogue is tools/catalogue_server.py on this machine.
#
#   tools/screenshot_find.sh [FOLDER]      writes find-tab.png, find-result.png and find-cleaned.png (docs/images)
#
# The backend is the one of SUNBREAK_PYTHON, or the checkout's .venv.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
python=${SUNBREAK_PYTHON:-$here/.venv/bin/python}
SUNBREAK_SHOT_FOLDER=$(realpath "${1:-$here/docs/images}")
export SUNBREAK_SHOT_FOLDER

work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
mkdir -p "$work/plugins" "$work/profiles/profiles/default/QGIS" "$work/run"
chmod 700 "$work/run"
ln -s "$here" "$work/plugins/sunbreak"
printf '[PythonPlugins]\nsunbreak=true\nprocessing=true\n' > "$work/profiles/profiles/default/QGIS/QGIS3.ini"

"$python" "$here/tools/catalogue_server.py" --folder "$work/catalogue" --json > "$work/server" 2> "$work/server-log" &
server=$!
tries=0
until [ -s "$work/server" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 120 ] && kill -0 "$server" 2> /dev/null || { cat "$work/server-log" >&2; exit 1; }
    sleep 0.5
done
SUNBREAK_SHOT_PROFILE=$work/demo-catalogue.yaml
SUNBREAK_SHOT_SCENES=$work/scenes
export SUNBREAK_SHOT_PROFILE SUNBREAK_SHOT_SCENES
sed 's/^title: .*/title: the demo catalogue/' "$work/catalogue/planetary-computer.yaml" > "$SUNBREAK_SHOT_PROFILE"

# without GDAL_PAM_ENABLED=NO, QGIS writes statistics beside the input files
GDAL_PAM_ENABLED=NO QGIS_PLUGINPATH="$work/plugins" XDG_RUNTIME_DIR="$work/run" TMPDIR="$work" timeout 900 \
    xvfb-run -a -s "-screen 0 1440x900x24" \
    "$(command -v qgis.bin || command -v qgis)" --nologo --noversioncheck --profiles-path "$work/profiles" \
    --code "$here/tools/screenshot_find.py" 2> "$work/log" || { tail -40 "$work/log" >&2; exit 1; }
set -- "$SUNBREAK_SHOT_FOLDER/find-tab.png" "$SUNBREAK_SHOT_FOLDER/find-result.png" "$SUNBREAK_SHOT_FOLDER/find-cleaned.png"
[ ! -x "$here/.venv/bin/python" ] || "$here/.venv/bin/python" "$here/tools/shrink_pictures.py" "$@"
ls -l "$@"
