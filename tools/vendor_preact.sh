#!/usr/bin/env bash
# Makes appserver/static/vendor/preact.js, the one module that the web client imports from npm, and copies the typeface.
# Versions are pinned by package-lock.json; run it again only to change them. `--check` compares instead of writing.
set -euo pipefail
cd "$(dirname "$0")/.."
static=appserver/static
out=$static
if [[ "${1:-}" == "--check" ]]; then
  out=$(mktemp -d)
  trap 'rm -rf "$out"' EXIT
fi
mkdir -p "$out/vendor" "$out/fonts"

version() { node -p "require('./node_modules/$1/package.json').version"; }

[[ -x node_modules/.bin/esbuild ]] || npm ci --no-audit --no-fund
banner="/* preact $(version preact), htm $(version htm), @preact/signals $(version @preact/signals), @preact/signals-core $(version @preact/signals-core): see LICENSES.txt. Made by tools/vendor_preact.sh */"
node_modules/.bin/esbuild --bundle --format=esm --minify --target=es2022 --legal-comments=none --log-level=warning \
  --banner:js="$banner" --outfile="$out/vendor/preact.js" <<'ENTRY'
import htm from "htm";
import { h } from "preact";
export { h, render, Fragment } from "preact";
export { useCallback, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
export { batch, computed, effect, signal, useComputed, useSignal, useSignalEffect } from "@preact/signals";
export const html = htm.bind(h);
ENTRY

{
  echo "Licences of the third-party files that the web client ships."
  for package in preact htm @preact/signals @preact/signals-core @fontsource-variable/inter; do
    printf '\n%s\n%s %s\n\n' "$(printf '=%.0s' {1..78})" "$package" "$(version "$package")"
    cat "node_modules/$package/LICENSE"
  done
} >"$out/vendor/LICENSES.txt"

for subset in latin latin-ext; do
  cp "node_modules/@fontsource-variable/inter/files/inter-$subset-wght-normal.woff2" "$out/fonts/"
done

if [[ "$out" != "$static" ]]; then
  for file in vendor/preact.js vendor/LICENSES.txt fonts/inter-latin-wght-normal.woff2 fonts/inter-latin-ext-wght-normal.woff2; do
    cmp "$static/$file" "$out/$file"
  done
  echo "vendored files are what package-lock.json gives"
fi
