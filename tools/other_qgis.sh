#!/bin/sh
# Runs the plugin's tests in the QGIS of another Debian: trixie has 3.40, sid 3.44 (needs root and debootstrap).
#
#   tools/other_qgis.sh SUITE [PYTEST ARGUMENTS]        tools/other_qgis.sh trixie tests/plugin -k doctor
#   tools/other_qgis.sh SUITE --shell COMMAND...         another command there, in the checkout's folder
#
# The system is created once (about 4 minutes, 2.5 GB) in ${SUNBREAK_CHROOTS:-/tmp/sunbreak-qgis}/SUITE; delete that folder
# when it is no longer needed. It gets a copy of the checkout (without ignored files) and the backend, in its own mount
# namespace: no mount outlives the run, and files that tests write beside the code are discarded.
# /tmp inside is SUITE/tmp outside: results are found there.
set -eu

suite=${1:-}
case "$suite" in
'' | -*) sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
shift
here=$(cd "$(dirname "$0")/.." && pwd)
root=${SUNBREAK_CHROOTS:-/tmp/sunbreak-qgis}/$suite
mirror=${SUNBREAK_MIRROR:-http://deb.debian.org/debian}
packages="qgis python3-qgis python3-pytest python3-venv python3-pip xvfb xauth gdal-bin"
backend=${SUNBREAK_PYTHON:-$here/.venv/bin/python}

[ "$(id -u)" = 0 ] || { echo "Root is needed to create the system." >&2; exit 3; }
command -v debootstrap >/dev/null || { echo "Missing: apt-get install debootstrap" >&2; exit 3; }
[ -x "$backend" ] || { echo "No backend at $backend: make setup, or set SUNBREAK_PYTHON." >&2; exit 3; }

make_system() {
    echo "Creating $suite in $root" >&2
    mkdir -p "$root"
    debootstrap --variant=minbase "$suite" "$root" "$mirror"
    # copy the apt and TLS settings of this machine
    for file in /etc/apt/apt.conf.d/*; do
        ! grep -q 'Acquire' "$file" || cp -n "$file" "$root/etc/apt/apt.conf.d/"
    done
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    mkdir -p "$root/etc/ssl"
    cp -r /etc/ssl/certs "$root/etc/ssl/"
    # a snapshot of sid soon passes its expiry date
    echo 'Acquire::Check-Valid-Until "false";' >"$root/etc/apt/apt.conf.d/99valid"
    chroot "$root" apt-get update -q
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get install -y -q --no-install-recommends $packages
    # the one package that Debian lacks; downloaded outside, where pip is configured
    mkdir -p "$root/opt/wheels"
    "$backend" -m pip download -q --no-deps -d "$root/opt/wheels" 'pytest-qgis>=2,<6'
    chroot "$root" python3 -m venv --system-site-packages /opt/tests
    chroot "$root" /opt/tests/bin/pip install -q --no-index --no-deps --find-links /opt/wheels pytest-qgis
    touch "$root/opt/made"
}

[ -e "$root/opt/made" ] || {
    log=$(mktemp)
    started=$(date +%s)
    make_system >"$log" 2>&1 || { tail -30 "$log" >&2; echo "Full log: $log" >&2; exit 1; }
    rm -f "$log"
    echo "Created in $(($(date +%s) - started)) s" >&2
}

base=$("$backend" -I -c 'import sys; print(sys.base_prefix)')
venv=$("$backend" -I -c 'import sys; print(sys.prefix)')
export here root base venv backend
unshare --mount --propagation private sh -eu -c '
    show() { mkdir -p "$root$1"; mount --bind "$1" "$root$1"; mount -o remount,ro,bind "$root$1"; }
    mount -t proc proc "$root/proc"
    mount --bind /dev "$root/dev"
    mkdir -p "$root$here" "$root/root"
    mount -t tmpfs tmpfs "$root$here"
    # a copy, so that edits during the run have no effect
    cd "$here"
    git ls-files -z --cached --others --exclude-standard |
        tar -c --null --ignore-failed-read --warning=no-failed-read -T - | tar -x -C "$root$here"
    [ "$base" = /usr ] || show "$base"
    [ "$venv" = "$base" ] || show "$venv"
    if [ "${1:-}" = --shell ]; then shift; else set -- /opt/tests/bin/python -m pytest -p no:cacheprovider "${@:-tests/plugin}"; fi
    exec chroot "$root" /usr/bin/env -i HOME=/root USER=root LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        QT_QPA_PLATFORM="${QT_QPA_PLATFORM-offscreen}" SUNBREAK_PYTHON="$backend" ${OMP_NUM_THREADS:+"OMP_NUM_THREADS=$OMP_NUM_THREADS"} \
        sh -c "cd \"\$0\" && exec \"\$@\"" "$here" "$@"
' sh "$@"
