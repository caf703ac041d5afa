#!/bin/sh
# Runs a hook, `sh infra/hooks/run.sh infra.hooks.NAME ARGUMENTS`, with Python packages of its own. Linux, macOS and Cloud Shell.
set -eu
cd "$(dirname "$0")/../.."
venv=infra/hooks/.venv
wanted=$(cat infra/hooks/requirements.txt requirements.txt)

if [ "$(cat "$venv/installed" 2>/dev/null || true)" != "$wanted" ]; then
  found=
  for name in ${MANIFOLD_PYTHON:-python3.12 python3.13 python3.11 python3}; do
    if "$name" -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
      found=$name
      break
    fi
  done
  if [ -z "$found" ]; then
    echo "The hooks need Python 3.11, 3.12 or 3.13 with venv. Install one, or name it in MANIFOLD_PYTHON." >&2
    exit 1
  fi
  echo "Installing what the hooks need into $venv ..."
  rm -rf "$venv"
  "$found" -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r infra/hooks/requirements.txt
  printf '%s\n' "$wanted" > "$venv/installed"
fi
exec "$venv/bin/python" -m "$@"
