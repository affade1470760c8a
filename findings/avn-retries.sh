#!/usr/bin/env bash
# aiven-client 4.18.0: a GET is tried again after a lost connection, and not after a 503 or a 429 with Retry-After.
#
# Three tries where nothing answers, one where the service itself asks for patience.
#
# Output:
#   503: exit code 1 after 1 request
#   429: exit code 1 after 1 request
#   lost: exit code 0 after 2 requests
set -euo pipefail
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check aiven-client==4.18.0

# The project's name says how its first request is answered: with a status, or by closing the connection. All others are answered well.
cat >"$work/server.py" <<'PYTHON'
import http.server, json, sys

folder, asked = sys.argv[1], {}

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        project = self.path.split("/")[3]
        asked[project] = asked.get(project, 0) + 1
        open(f"{folder}/asked-{project}", "w").write(str(asked[project]))
        if project == "lost" and asked[project] == 1:
            self.close_connection = True
            return
        status = int(project) if project.isdigit() and asked[project] == 1 else 200
        body = json.dumps({"vpcs": []} if status == 200 else {"message": "later", "errors": [{"message": "later", "status": status}]}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status != 200:
            self.send_header("Retry-After", "1")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
open(f"{folder}/port", "w").write(f"{server.server_port}\n")
server.serve_forever()
PYTHON
python3 "$work/server.py" "$work" &
until [ -s "$work/port" ]; do sleep 0.1; done

export HOME=$work AIVEN_AUTH_TOKEN=none AIVEN_WEB_URL=http://127.0.0.1:$(cat "$work/port")
for first in 503 429 lost; do
    code=0
    "$work/venv/bin/avn" vpc list --project "$first" >"$work/out" 2>&1 || code=$?
    asked=$(cat "$work/asked-$first")
    echo "$first: exit code $code after $asked request$([ "$asked" = 1 ] || echo s)"
done | tee "$work/seen"

diff "$work/seen" - <<EXPECTED || { echo "CHANGED: see the differences above" >&2; exit 1; }
503: exit code 1 after 1 request
429: exit code 1 after 1 request
lost: exit code 0 after 2 requests
EXPECTED
