#!/bin/sh
# test_programs.sh: see to Chromium, which some tests need.
# What the system has is used; else a package brings it; else those tests are skipped and say why.
set -eu

found() {
    for name in "$@"; do
        if command -v "$name" >/dev/null 2>&1; then return 0; fi
    done
    return 1
}

if [ -z "${CHROMIUM:-}" ] && ! found chromium chromium-browser google-chrome google-chrome-stable; then
    (cd tests && npm install --no-save --no-audit --no-fund @sparticuz/chromium@147.0.0 &&
        node ../scripts/install_chromium.mjs) ||
        echo 'No Chromium: tests that need one will be skipped.' >&2
fi
