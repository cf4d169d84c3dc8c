#!/usr/bin/env bash
# Installs Debian's chromium, which has no part that a folder could hold: its libraries come with it. Needs root.
# Several processes may call it at the same time: one installs, the others wait and find it.
set -euo pipefail
lock=$1
mkdir -p "$(dirname "$lock")"
exec 9>"$lock"
flock 9
command -v chromium >/dev/null && exit 0
echo "redis-batch: installing Debian's chromium for the browser tests (some 300 MB) …" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq >&2
apt-get install -y -qq --no-install-recommends chromium >&2
