#!/bin/sh
# Uses QGIS Desktop as a new user does, on a virtual display, in a fresh profile: installs the plugin's zip and the backend,
# opens the demo scene with its other dates, cleans, classifies and explains it. Then closes QGIS, and kills it, during a run.
#
#   tools/tour.sh [FOLDER]          screenshots go to FOLDER (docs/images), numbers are printed
#
#   SUNBREAK_TOUR_ZIP      the zip (the newest in dist/)
#   SUNBREAK_TOUR_WHEELS   a folder of wheels (make offline-wheels): the backend is installed from there
#   SUNBREAK_TOUR_PIXELS   side of the corner of the scene for the chain, to save time (default: the whole scene)
#   SUNBREAK_TOUR_SCRATCH  a folder that is created and removed; its name appears in the screenshots
#   SUNBREAK_TOUR_PYTHON   without such a folder: a Python that has the backend (.venv)
#
# For another QGIS: tools/other_qgis.sh trixie --shell sh tools/tour.sh /mnt/tour
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
folder=${1:-$here/docs/images}
mkdir -p "$folder"
SUNBREAK_TOUR_FOLDER=$(realpath "$folder")
SUNBREAK_TOUR_ZIP=${SUNBREAK_TOUR_ZIP:-$(ls -t "$here"/dist/sunbreak-*.zip | head -1)}
SUNBREAK_TOUR_PYTHON=${SUNBREAK_TOUR_PYTHON:-${SUNBREAK_PYTHON:-$here/.venv/bin/python}}
[ -f "$SUNBREAK_TOUR_ZIP" ] || { echo "No zip found: make package" >&2; exit 2; }

scratch=${SUNBREAK_TOUR_SCRATCH:-$(mktemp -d)}
work="$scratch/Jürgen Öl"   # a profile whose path has spaces and letters outside ASCII
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$work/run" "$work/profiles/profiles/default/QGIS"
chmod 700 "$work/run"
# no online repositories, no welcome page, no news
cat > "$work/profiles/profiles/default/QGIS/QGIS3.ini" <<'INI'
[app]
plugin_repositories\QGIS%20Official%20Plugin%20Repository\enabled=false
plugin_installer\checkOnStart=false
[PythonPlugins]
processing=true
INI
# fields in the screenshots have short values that do not depend on the machine
cp "$SUNBREAK_TOUR_ZIP" "$scratch/"
SUNBREAK_TOUR_ZIP="$scratch/$(basename "$SUNBREAK_TOUR_ZIP")"
if [ -n "${SUNBREAK_TOUR_WHEELS:-}" ]; then
    ln -s "$(realpath "$SUNBREAK_TOUR_WHEELS")" "$scratch/wheels"
    export SUNBREAK_TOUR_WHEELS="$scratch/wheels"
fi
export HOME="$scratch"
SUNBREAK_TOUR_NOTES="$work/notes.json"
SUNBREAK_TOUR_TOOLS="$here/tools"
export SUNBREAK_TOUR_TOOLS SUNBREAK_TOUR_FOLDER SUNBREAK_TOUR_ZIP SUNBREAK_TOUR_PYTHON SUNBREAK_TOUR_NOTES
unset SUNBREAK_PYTHON QT_QPA_PLATFORM
export LANG="${SUNBREAK_TOUR_LANG:-C.UTF-8}" XDG_RUNTIME_DIR="$work/run" GDAL_PAM_ENABLED=NO

walk() {
    SUNBREAK_TOUR_PART=$1 timeout "$2" xvfb-run -a -s "-screen 0 1440x900x24" \
        "$(command -v qgis.bin || command -v qgis)" --nologo --noversioncheck --profiles-path "$work/profiles" \
        --code "$here/tools/tour.py" > "$scratch/$1.log" 2>&1
}

fail() {
    echo "tour: $1" >&2
    tail -40 "$scratch/$2.log" >&2
    cp "$scratch/$2.log" "$SUNBREAK_TOUR_FOLDER/tour-failed.log"
    exit 1
}

# processes whose command line contains two texts, as number and command; without pgrep, which not every system has, and
# without those of a tour in another root
processes() {
    for entry in /proc/[0-9]*; do
        [ "$entry/root" -ef / ] || continue
        line=$(tr '\0' ' ' 2>/dev/null < "$entry/cmdline") || continue
        case "$line" in *"$1"*) case "$line" in *"$2"*) echo "${entry#/proc/} $line" ;; esac ;; esac
    done
}

# running processes of this profile
left() { processes "$scratch" "-m sunbreak"; }

gone_within() {
    for _ in $(seq "$1"); do
        [ -n "$(left)" ] || return 0
        sleep 1
    done
    return 1
}

walk first 5400 || fail "the walk ended early" first
[ -z "$(left)" ] || fail "a backend is left: $(left)" first

walk second 900 || fail "the second start ended early" second
grep -q '"running": true' "$SUNBREAK_TOUR_NOTES" || fail "nothing ran when QGIS was closed" second
gone_within 5 || fail "the backend outlives QGIS: $(left)" second

walk third 900 & walker=$!
for _ in $(seq 600); do
    ! grep -q '"killable": true' "$SUNBREAK_TOUR_NOTES" || break
    sleep 1
done
[ -n "$(left)" ] || fail "no backend ran when QGIS was to be killed" third
processes "$work/profiles" tour.py | while read -r pid _; do
    case "$(cat "/proc/$pid/comm")" in qgis*) kill -9 "$pid" ;; esac
done
killed=$(date +%s)
wait "$walker" || true
# the backend detects that its standard input is closed; it must stop within 8 s
gone_within 15 || fail "the backend outlives a killed QGIS: $(left)" third

echo "tour: the backend of a killed QGIS stopped within $(($(date +%s) - killed)) s"

[ ! -x "$here/.venv/bin/python" ] || "$here/.venv/bin/python" "$here/tools/shrink_pictures.py" "$SUNBREAK_TOUR_FOLDER"/tour-*.png
cat "$SUNBREAK_TOUR_NOTES"
echo
echo "tour: all checks passed; no backend was left running. Screenshots: $SUNBREAK_TOUR_FOLDER/tour-*.png"
