#!/bin/sh
# Installs the Debian packages that Lacquer needs, where they are missing and where we may (root, or sudo without a
# password). Otherwise says in one line what to install.
#   debian-packages.sh runtime   shared libraries that the Python wheels link to, and venv itself
#   debian-packages.sh tests     real browsers, a screen for the one that wants one, Node, ffmpeg, what the browsers'
#                                driver links to; the servers of a large installation; shellcheck; network namespaces; GStreamer
set -eu

case "${1:-}" in
    runtime) packages="python3-venv libgl1 libegl1 libgles2 libglib2.0-0" ;;
    tests)
        packages="chromium firefox-esr webkit2gtk-driver xvfb ffmpeg libatomic1"
        packages="$packages redis-server redis-sentinel postgresql coturn caddy prometheus prometheus-node-exporter shellcheck"
        packages="$packages iproute2 nftables procps"
        packages="$packages gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-nice"
        packages="$packages python3-gi gir1.2-gst-plugins-bad-1.0"
        command -v node >/dev/null 2>&1 || packages="$packages nodejs" ;;
    *) echo "usage: $0 runtime|tests" >&2; exit 2 ;;
esac

command -v dpkg-query >/dev/null 2>&1 || exit 0   # not Debian: the README names the packages

missing=""
for package in $packages; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q "ok installed" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then run=""
elif sudo -n true 2>/dev/null; then run="sudo"
else
    echo "Lacquer needs these Debian packages:$missing" >&2
    echo "Install them with: sudo apt-get install$missing" >&2
    exit 1
fi
echo "Installing Debian packages:$missing"
export DEBIAN_FRONTEND=noninteractive
$run apt-get update -qq
# shellcheck disable=SC2086  # a list of names, split on purpose
$run apt-get install -y -qq --no-install-recommends $missing >/dev/null
