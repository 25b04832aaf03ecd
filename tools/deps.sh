#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Install the Debian packages that are missing, after saying which.
#   tools/deps.sh [GROUP...]     groups: build (default), oracle, dev
set -eu

build='gcc libc6-dev make python3 meson ninja-build pkg-config libdnnl-dev libzip-dev zlib1g-dev
       libjansson-dev libjpeg-dev libpng-dev libwebp-dev libtiff-dev libgif-dev libssl-dev
       libcurl4-openssl-dev libcmocka-dev gettext'
# The browser opens the report's page; unpacked it takes some 360 MB.
oracle='python3-numpy python3-pil python3-torch python3-torchvision chromium'
dev='clang libclang-rt-dev libomp-dev zsh fish' # the shells complete words
# The format is clang-format 14's; its test is skipped where there is none.
case $(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release 2>/dev/null) in
trixie | forky | sid) ;;
*) dev="$dev clang-format-14" ;;
esac

wanted=''
for group in "${@:-build}"; do
    case $group in
    build) wanted="$wanted $build" ;;
    oracle) wanted="$wanted $oracle" ;;
    dev) wanted="$wanted $dev" ;;
    *) echo "deps: no group $group, there are build, oracle, dev" >&2; exit 2 ;;
    esac
done

if ! command -v dpkg-query >/dev/null 2>&1; then
    # Not Debian: the build itself says what it lacks.
    exit 0
fi

missing=''
for package in $wanted; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "installing:$missing"
as_root=''
[ "$(id -u)" = 0 ] || as_root='sudo'
# shellcheck disable=SC2086  # lists of words on purpose
{
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq \
        --no-install-recommends $missing >/dev/null 2>&1 ||
    { $as_root apt-get update -qq &&
      DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq \
        --no-install-recommends $missing >/dev/null; }
} || { echo "deps: could not install:$missing" >&2; exit 1; }
