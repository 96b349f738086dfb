#!/bin/sh
# Makes the virtual environment $1 with the newest Python from 3.11 up that can make one. PYTHON=... names another.
set -eu

able() {
    command -v "$1" >/dev/null 2>&1 && "$1" -c "import sys, venv$2; sys.exit(sys.version_info < (3, 11))" >/dev/null 2>&1
}

pick() {
    for minor in $(seq 30 -1 11); do
        if able "python3.$minor" "$1"; then echo "python3.$minor"; return; fi
    done
    if able python3 "$1"; then echo python3; fi
}

python=${PYTHON:-$(pick ", ensurepip")}
if [ -z "$python" ]; then
    if [ -n "$(pick "")" ]; then
        echo "This Python cannot make virtual environments yet. Run this, then try again:  sudo apt-get install python3-venv" >&2
    else
        echo "Python 3.11 or newer is needed. Run this, then try again:  sudo apt-get install python3 python3-venv" >&2
    fi
    exit 1
fi
[ -x "$1/bin/python" ] || "$python" -m venv --clear "$1"
