# shellcheck shell=bash disable=SC2034
# Sourced by ./run and ./test: installs what is missing and says what it installs. Nothing here needs more than python3 and git.
#   setup_system PACKAGE...   Debian packages, by apt as root or through sudo
#   setup_python EXTRAS       a virtual environment in .venv with the project in it, rebuilt when its inputs change

say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }
fail() { printf 'confero: %s\n' "$*" >&2; exit 1; }

setup_system() {
  local missing=() package
  if ! is_debian_12; then
    say "not Debian 12: these of its packages, or their equals, are needed, and are taken to be there: $*"
    return 0
  fi
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  local install=(apt-get install -y --no-install-recommends "${missing[@]}")
  say "installing Debian packages: ${missing[*]}"
  local root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "not root and no sudo; please run as root: ${install[*]}"
    root=(sudo)
  fi
  "${root[@]}" apt-get update -qq || fail "apt-get update failed"
  without_starting "${root[@]}" env DEBIAN_FRONTEND=noninteractive "${install[@]}" >"$STATE/apt.log" 2>&1 ||
    { tail -20 "$STATE/apt.log" >&2; fail "could not install: ${missing[*]}"; }
}

is_debian_12() {
  command -v dpkg-query >/dev/null && grep -qs '^VERSION_CODENAME=bookworm' /etc/os-release
}

# Runs an installation during which no package's own service starts: the tests start what they need, on addresses of their own.
without_starting() {
  local policy=/usr/sbin/policy-rc.d status=0
  if [ -e "$policy" ]; then
    "$@"
    return
  fi
  printf '#!/bin/sh\nexit 101\n' | "${root[@]}" sh -c "cat >$policy && chmod 755 $policy"
  "$@" || status=$?
  "${root[@]}" rm -f "$policy"
  return "$status"
}

# The headers of the interpreter that makes the environment, and its venv module, may be packages of their own.
python_packages() {
  python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
  python3 -c 'import pathlib, sysconfig; raise SystemExit(not pathlib.Path(sysconfig.get_path("include"), "Python.h").exists())' ||
    echo python3-dev
}

setup_python() {
  local extras=$1 stamp="$STATE/python-$1.stamp" want
  python3 -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' || fail "Python 3.11 or newer is needed"
  if ! [ -x .venv/bin/python ] || ! .venv/bin/python -c '' 2>/dev/null; then
    say "making the virtual environment .venv"
    rm -rf .venv "$STATE"/python-*.stamp
    python3 -m venv .venv || fail "python3 -m venv failed"
  fi
  want=$(cat pyproject.toml setup.py native/build_core.py | sha256sum)
  if [ "$(cat "$stamp" 2>/dev/null)" != "$want" ]; then
    say "installing Python packages (extras: $extras)"
    .venv/bin/python -m pip install -q --disable-pip-version-check -e ".[$extras]" >"$STATE/pip.log" 2>&1 ||
      { tail -20 "$STATE/pip.log" >&2; fail "pip install failed"; }
    echo "$want" >"$stamp"
    core_inputs >"$STATE/core.stamp" # the installation has built it
  fi
  setup_core
}

core_inputs() {
  find native/src native/include native/build_core.py -type f \( -name '*.[ch]' -o -name '*.py' \) -print0 | sort -z |
    xargs -0 sha256sum | sha256sum
}

# The C library is rebuilt when any of its sources has changed.
setup_core() {
  local want
  want=$(core_inputs)
  [ "$(cat "$STATE/core.stamp" 2>/dev/null)" = "$want" ] && ls confero/media/_core.*.so >/dev/null 2>&1 && return 0
  say "building the media engine"
  .venv/bin/python -m pip install -q --disable-pip-version-check 'setuptools>=77' 'cffi>=1.17' >"$STATE/pip.log" 2>&1 ||
    fail "pip install setuptools cffi failed"
  .venv/bin/python setup.py -q build_ext --inplace >"$STATE/core.log" 2>&1 ||
    { tail -20 "$STATE/core.log" >&2; fail "the media engine does not build"; }
  echo "$want" >"$STATE/core.stamp"
}

RUN_PACKAGES=(build-essential pkg-config libopus-dev libssl-dev espeak-ng ca-certificates)
# the judges of the tests: compilers' sanitizers and tidy, another architecture, browsers, a database, a phone, players
TEST_PACKAGES=(clang-14 clang-tidy-14 clang-format-14 libclang-rt-14-dev gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user shellcheck
  chromium chromium-headless-shell firefox-esr mariadb-server ffmpeg janus
  baresip-core linphone-cli coturn nftables sip-tester kamailio sngrep gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good iproute2)

STATE=var/setup
mkdir -p "$STATE"
