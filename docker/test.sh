#!/usr/bin/env bash
# `./test compose`: builds and starts the containers for real, holds a call in them, then a meeting of people with accounts, before and after
# a restart of all containers, and takes everything down again.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=docker/engine.sh
. docker/engine.sh
mkdir -p var
say() { printf '== compose: %s\n' "$*"; }

say "engine and base image"
install_engine
start_engine var/dockerd.log
base_image
project="confero-test-$$"
compose() { docker compose -p "$project" -f docker/compose.yaml "$@"; }
finish() {
  local status=$?
  [ "$status" -eq 0 ] || compose logs --no-color --tail 60 || :
  compose down -v -t 5 >/dev/null 2>&1 || :
  stop_engine
  exit "$status"
}
trap finish EXIT
# published ports that a system running on this machine does not use
export HTTPS_PORT=18443 MEDIA_MIN=14900 MEDIA_MAX=14919 SIP_PORT=15060 SIPS_PORT=15061 TURN_PORT=15049
# as from outside: TURN is found at the page's host
export PUBLIC_URL="https://172.30.0.1:$HTTPS_PORT"
say "build"
compose build -q
say "up"
compose up -d --wait --wait-timeout 120
say "a call"
compose exec -T appserver cat /var/lib/confero/tls/ca.pem >"var/compose-ca.pem"
compose exec -T appserver cat /var/lib/confero/secret >"var/compose-secret"
.venv/bin/python docker/call.py --page "$PUBLIC_URL" --ca var/compose-ca.pem --secret var/compose-secret --mcu http://172.30.0.13:2131 --gateway 172.30.0.14
say "people"
people() { .venv/bin/python docker/people.py --page "$PUBLIC_URL" --ca var/compose-ca.pem --setup var/compose-setup --kept var/compose-people "$@"; }
compose exec -T appserver cat /var/lib/confero/setup-link >var/compose-setup
people
say "restart"
compose restart -t 10
compose up -d --wait --wait-timeout 120
people --again
say "MariaDB has it"
[ "$(compose exec -T database mariadb -N -e 'SELECT COUNT(*) FROM users' confero)" = 1 ]
[ "$(compose exec -T database mariadb -N -e "SELECT COUNT(*) FROM meetings WHERE room_name = 'Planning' AND ended_at > 0" confero)" = 2 ]
say "down"
