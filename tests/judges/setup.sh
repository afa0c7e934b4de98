#!/bin/sh
# Puts the foreign clients into the folder named by $1, usually target/judges. Does nothing where they are there.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
to=${1:?name the folder, such as target/judges}
mkdir -p "$to"
# The file that says ready holds what it was made from.
want=$(cat "$here/requirements.txt" "$here/package-lock.json" | cksum)
if [ -f "$to/ready" ] && [ "$(cat "$to/ready")" = "$want" ]; then
    exit 0
fi
rm -f "$to/ready"
python3 -m venv "$to/venv"
"$to/venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
cp "$here/package.json" "$here/package-lock.json" "$to/"
(cd "$to" && npm ci --silent --no-audit --no-fund)
echo "$want" >"$to/ready"
