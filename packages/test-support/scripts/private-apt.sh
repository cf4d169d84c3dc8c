# Sourced: use_private_apt <folder> <suite[,library-suite…]> makes apt-get and apt-cache of this shell work on Debian's
# suites from a state of their own below <folder>/apt, without root and without touching the machine's.
use_private_apt() {
  local apt=$1/apt suite suites mirror
  IFS=, read -ra suites <<<"$2"
  mkdir -p "$apt"/{lists/partial,cache/archives/partial}
  : >"$apt/status"

  # The mirror this machine already uses. apt reads its own sources for us: one-line and deb822, disabled ones left out.
  mirror=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' | awk '/\/debian\/?$/ { print; exit }')}
  if [ -z "$mirror" ]; then
    echo "no Debian mirror among this machine's apt sources; name one in DEBIAN_MIRROR" >&2
    return 1
  fi

  local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  for suite in "${suites[@]}"; do
    echo "deb [signed-by=$keyring] $mirror $suite main"
  done >"$apt/sources.list"

  cat >"$apt/apt.conf" <<CONF
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "$apt";
Dir::State::lists "$apt/lists";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
APT::Default-Release "/^${suites[0]}\$/";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::Check-Valid-Until "false";
CONF
  export APT_CONFIG=$apt/apt.conf
  apt-get -qq update >&2
}
