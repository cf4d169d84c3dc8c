#!/usr/bin/env bash
# fetch-promtool.sh <folder>
#
# Unpacks promtool from Debian's prometheus package into <folder>, without root and without touching apt's own state.
# It needs no more than the machine's libc. Prints its path. Several processes may ask at once: one fetches, the others
# wait for it.
set -euo pipefail
. "$(dirname "$0")/private-apt.sh"

folder=$1
promtool=$folder/promtool

mkdir -p "$(dirname "$folder")"
exec 9>"$folder.lock"
flock 9 # released by the kernel when this process ends, however it ends
if [ -x "$promtool" ]; then
  echo "$promtool"
  exit 0
fi
echo "redis-batch: fetching promtool of Debian, once, into .cache" >&2

work=$folder.fetching
rm -rf "$work" # left by a fetch that was interrupted: we hold the lock
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{debs,root}
# An old suite, so that the libc it asks for is not newer than most machines'.
use_private_apt "$work" bookworm

(cd "$work/debs" && apt-get -qq download prometheus >&2)
dpkg -x "$work"/debs/prometheus_*.deb "$work/root"
find "$work/root" -type f -name promtool -exec mv {} "$work/promtool" \;

rm -rf "$work"/{apt,debs,root} "$folder"
mv -T "$work" "$folder" # the last step: a folder that is there is complete
echo "$promtool"
