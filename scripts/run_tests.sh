#!/bin/sh
# run_tests.sh PYTHON WORKERS SELECTION PYTEST_ARGUMENT...: the tests that the marker expression
# SELECTION selects: first all that may run beside each other, by so many workers, then those marked
# `serial`, one at a time. Both runs take place; it fails where one of them fails.
set -u

python=$1 workers=$2 selection=$3
shift 3
nothing=5  # pytest's exit code where it finds no test
result=0

"$python" -m pytest -n "$workers" --dist worksteal -m "not serial and ($selection)" "$@"
parallel=$?
"$python" -m pytest -m "serial and ($selection)" "$@"
serial=$?

if [ $parallel -eq $nothing ] && [ $serial -eq $nothing ]; then exit $nothing; fi
for code in $parallel $serial; do
    if [ $code -ne 0 ] && [ $code -ne $nothing ]; then result=$code; fi
done
exit $result
