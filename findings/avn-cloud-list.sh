#!/usr/bin/env bash
# aiven-client 4.18.0: `avn cloud list` without a project asks for the clouds of a project without a name.
#
# `--project` is optional, and the client has a request for the clouds of nobody in particular, GET /v1/clouds. Where no default project is
# set it is not made: the path has an empty segment instead.
#
# Output:
#   without a project: GET /v1/project//clouds
#   with one: GET /v1/project/demo/clouds
set -euo pipefail
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check aiven-client==4.18.0

cat >"$work/server.py" <<'PYTHON'
import http.server, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        open(f"{sys.argv[1]}/asked", "w").write(f"GET {self.path}\n")
        body = b'{"clouds": []}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
open(f"{sys.argv[1]}/port", "w").write(f"{server.server_port}\n")
server.serve_forever()
PYTHON
python3 "$work/server.py" "$work" &
until [ -s "$work/port" ]; do sleep 0.1; done

export HOME=$work AIVEN_AUTH_TOKEN=none AIVEN_WEB_URL=http://127.0.0.1:$(cat "$work/port")
unset AIVEN_PROJECT
{
    "$work/venv/bin/avn" cloud list >/dev/null
    echo "without a project: $(cat "$work/asked")"
    "$work/venv/bin/avn" cloud list --project demo >/dev/null
    echo "with one: $(cat "$work/asked")"
} | tee "$work/seen"

diff "$work/seen" - <<EXPECTED || { echo "CHANGED: see the differences above" >&2; exit 1; }
without a project: GET /v1/project//clouds
with one: GET /v1/project/demo/clouds
EXPECTED
