# shellcheck shell=bash
# Sourced by docker/test.sh: an engine, Compose v2 and the base image, from Debian's packages alone where no registry answers.

# Debian 12 has no Compose v2; the one of Debian 13 needs nothing newer than Debian 12's C library.
install_engine() {
  docker compose version >/dev/null 2>&1 && command -v dockerd >/dev/null && return 0
  echo "installing Debian packages: docker.io iptables mmdebstrap iproute2; Compose v2 and buildx from Debian 13's packages"
  [ "$(id -u)" -eq 0 ] || { echo "not root; please install: docker.io, Compose v2 and buildx" >&2; return 1; }
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends docker.io iptables mmdebstrap iproute2 >/dev/null
  docker compose version >/dev/null 2>&1 && return 0
  local dir
  dir=$(mktemp -d)
  mkdir -p "$dir/lists/partial" "$dir/parts"
  chmod -R a+rX "$dir"
  python3 - "$dir/parts/next.sources" <<'P'
import re
import sys
from pathlib import Path

source = Path("/etc/apt/sources.list.d/debian.sources").read_text().strip().split("\n\n")[0]
Path(sys.argv[1]).write_text(re.sub(r"(?m)^Suites:.*$", "Suites: trixie", source) + "\n")
P
  local options=(-o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$dir/parts" -o "Dir::State::lists=$dir/lists")
  apt-get "${options[@]}" update -qq
  (cd "$dir" && apt-get "${options[@]}" download -qq docker-compose docker-buildx)
  dpkg -i "$dir"/*.deb >/dev/null
  rm -rf "$dir"
}

# An engine that runs already is used; one that was started here is stopped by stop_engine.
start_engine() {
  docker info >/dev/null 2>&1 && return 0
  echo "starting a Docker engine for the time of the test"
  local pid
  pid=$(cat /var/run/docker.pid 2>/dev/null || :)
  if [ -n "$pid" ] && ! grep -qs dockerd "/proc/$pid/comm"; then rm -f /var/run/docker.pid; fi
  setsid nohup dockerd >"$1" 2>&1 </dev/null &
  ENGINE_PID=$!
  for _ in $(seq 150); do
    docker info >/dev/null 2>&1 && return 0
    sleep 0.2
  done
  tail -20 "$1" >&2
  return 1
}

stop_engine() {
  [ -z "${ENGINE_PID:-}" ] || kill "$ENGINE_PID" 2>/dev/null || :
}

# Takes the base image from the registry; where none answers, makes its equal with mmdebstrap under the same name.
base_image() {
  local tag=debian:bookworm-slim hook
  docker image inspect "$tag" >/dev/null 2>&1 && return 0
  docker pull -q "$tag" >/dev/null 2>&1 && return 0
  hook=$(mktemp)
  cat >"$hook" <<'H'
#!/bin/sh
set -e
mkdir -p "$1/usr/local/share/ca-certificates" "$1/etc/ssl/certs"
cp /usr/local/share/ca-certificates/*.crt "$1/usr/local/share/ca-certificates/" 2>/dev/null || :
cp -L /etc/ssl/certs/ca-certificates.crt "$1/etc/ssl/certs/ca-certificates.crt"
printf 'Acquire::Check-Valid-Until "false";\nAcquire::Check-Date "false";\n' >"$1/etc/apt/apt.conf.d/99standin"
printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n' >"$1/etc/pip.conf"
printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d"
chmod 755 "$1/usr/sbin/policy-rc.d"
rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*
H
  chmod 755 "$hook"
  mmdebstrap --quiet --variant=minbase --aptopt='Acquire::Languages "none"' --aptopt='Acquire::Check-Valid-Until "false"' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --customize-hook="$hook" bookworm - | docker import --change 'CMD ["bash"]' - "$tag" >/dev/null
  rm -f "$hook"
}
