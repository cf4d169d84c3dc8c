#!/usr/bin/env bash
# fetch-server.sh <suite[,library-suite…]> <redis|valkey> <folder>
#
# Unpacks a Debian server package of ANY suite into <folder>, without root and without touching apt's own state:
# downloads <flavour>-tools (the server program) with the libraries it needs, and writes bin/<name> wrappers that start
# each program under that suite's own loader and libc, so that it runs on an older machine too.
# Prints the server's path. Several processes may ask at once: one fetches, the others wait for it.
set -euo pipefail
. "$(dirname "$0")/private-apt.sh"

IFS=, read -ra suites <<<"$1"
flavour=$2
folder=$3
server=$folder/bin/$flavour-server

mkdir -p "$(dirname "$folder")"
exec 9>"$folder.lock"
flock 9 # released by the kernel when this process ends, however it ends
if [ -x "$server" ]; then
  echo "$server"
  exit 0
fi
echo "redis-batch: fetching $flavour-server of Debian ${suites[0]}, once, into .cache" >&2

work=$folder.fetching
rm -rf "$work" # left by a fetch that was interrupted: we hold the lock
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{debs,root,bin}
use_private_apt "$work" "$1"

# Every shared library and Lua module the server depends on, directly or not; nothing else (no init system, no users).
mapfile -t packages < <(
  apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances \
    "$flavour-tools" |
    awk -v start="$flavour-tools" '
      /^[^ ]/ { package = $1; next }
      /Depends: [^<]/ { depends[package] = depends[package] " " $NF }
      END {
        queue[length_ = 1] = start; seen[start] = 1
        for (i = 1; i <= length_; i++) {
          print queue[i]
          count = split(depends[queue[i]], names, " ")
          for (j = 1; j <= count; j++)
            if (names[j] ~ /^(lib|lua|zlib)/ && !(names[j] in seen)) { seen[names[j]] = 1; queue[++length_] = names[j] }
        }
      }'
)
(cd "$work/debs" && apt-get -qq download "${packages[@]}" "$flavour-server" >&2)
for package in "$work"/debs/*.deb; do
  dpkg -x "$package" "$work/root"
done

loader=$(find "$work/root" -path '*lib/*-linux-gnu*/ld-linux-*.so.*' -print -quit)
[ -n "$loader" ] || loader=$(find "$work/root" -name 'ld-linux-*.so.*' -print -quit) # arm64 keeps it beside the others
libc=$(find "$work/root" -name 'libc.so.6' -print -quit)
loader=${loader#"$work/"}
libraries=$(dirname "${libc#"$work/"}")
triplet=$(basename "$libraries")
for program in "$work"/root/usr/bin/"$flavour"-*; do
  name=$(basename "$program")
  cat >"$work/bin/$name" <<WRAPPER
#!/bin/sh
d=\$(dirname "\$(readlink -f "\$0")")/..
exec "\$d/$loader" --library-path "\$d/$libraries:\$d/root/usr/lib/$triplet:\$d/root/lib/$triplet:\$d/root/usr/lib" \\
  "\$d/root/usr/bin/$name" "\$@"
WRAPPER
  chmod +x "$work/bin/$name"
done
[ -x "$work/bin/$flavour-server" ] || { echo "Debian ${suites[0]} has no $flavour-server" >&2; exit 1; }

rm -rf "$work"/{apt,debs} "$folder"
mv -T "$work" "$folder" # the last step: a folder that is there is complete
echo "$server"
