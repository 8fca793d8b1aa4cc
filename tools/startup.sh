#!/bin/sh
# Starts QGIS Desktop several times with the plugin from the zip, on a virtual display, and prints the plugin's part of the
# start-up time: import, classFactory and initGui, as measured by QGIS (qgis.utils.plugin_times, wall time).
#
#   tools/startup.sh [STARTS]           10 starts; the first one of a fresh profile compiles the plugin and is listed separately
#
#   SUNBREAK_TOUR_ZIP   the zip (the newest in dist/)
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
starts=${1:-10}
zip=${SUNBREAK_TOUR_ZIP:-$(ls -t "$here"/dist/sunbreak-*.zip | head -1)}
[ -f "$zip" ] || { echo "No zip found: make package" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
profile="$work/profiles/profiles/default"
mkdir -p "$work/run" "$profile/QGIS" "$profile/python/plugins"
chmod 700 "$work/run"
/usr/bin/python3 -m zipfile -e "$zip" "$profile/python/plugins"
cat > "$profile/QGIS/QGIS3.ini" <<'INI'
[app]
plugin_repositories\QGIS%20Official%20Plugin%20Repository\enabled=false
plugin_installer\checkOnStart=false
[PythonPlugins]
processing=true
sunbreak=true
INI
export XDG_RUNTIME_DIR="$work/run" LANG=C.UTF-8 HOME="$work"
# as for users: Python keeps compiled files
unset PYTHONDONTWRITEBYTECODE QT_QPA_PLATFORM SUNBREAK_PYTHON
for start in $(seq 0 "$starts"); do
    timeout 300 xvfb-run -a -s "-screen 0 1440x900x24" "$(command -v qgis.bin || command -v qgis)" --nologo \
        --noversioncheck --profiles-path "$work/profiles" --code "$here/tools/startup.py" > "$work/log" 2>&1 ||
        { tail -20 "$work/log" >&2; exit 1; }
    line=$(grep '^startup: ' "$work/log")
    echo "$start ${line#startup: }" >> "$work/times"
done
awk '$1 == 0 { printf "first start of a fresh profile: %.0f ms\n", 1000 * $2 }' "$work/times"
awk '$1 > 0 { print 1000 * $2 }' "$work/times" | sort -n |
    awk '{ v[NR] = $1 } END { printf "%d further starts: %.0f to %.0f ms, median %.0f ms\n", NR, v[1], v[NR], v[int((NR + 1) / 2)] }'
awk '$4 != "-" { found = $4 } END { print "heavy packages imported by then: " (found ? found : "none") }' "$work/times"
