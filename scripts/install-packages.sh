#!/bin/sh
# Installs the Debian packages that the project needs and that are missing. Quiet when none is.
set -eu
list=$(dirname "$0")/packages.txt

if ! command -v dpkg-query >/dev/null; then
  echo "install-packages: this is not Debian; install the packages of $list by hand" >&2
  exit 0
fi

installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p')
missing=$(printf '%s\n' "$installed" | grep -vxFf - "$list" || true)
[ -n "$missing" ] || exit 0

echo "Installing packages:" $missing
if [ "$(id -u)" = 0 ]; then
  as_root=
elif command -v sudo >/dev/null; then
  as_root=sudo
else
  echo "install-packages: run this as root: apt-get install" $missing >&2
  exit 1
fi
install() {
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends $missing >/dev/null
}
install 2>/dev/null || { $as_root apt-get update -qq && install; } || {
  echo "install-packages: apt-get could not install:" $missing >&2
  exit 1
}
