#!/usr/bin/env bash
# aiven-client 4.18.0: whether a refusal's text goes to standard output depends on the command.
#
# `avn vpc list --json` (a project's) prints the body of a 403 on standard output, where the list would be, and its error line names neither
# status nor reason. `avn organization vpc list --json` prints nothing there, and its error line has both. The exit code is 1 for either.
#
# Output:
#   project stdout: {"message": "Not a member", "errors": [{"message": "Not a member", "status": 403}]}
#   project stderr: ERROR	command failed: UserError: Project VPC listing for 'demo' failed
#   organization stdout:
#   organization stderr: ERROR	command failed: Error: Not a member (status 403)
set -euo pipefail
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check aiven-client==4.18.0

# Answers everything with 403, in the shape that Aiven documents.
cat >"$work/server.py" <<'PYTHON'
import http.server, json, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"message": "Not a member", "errors": [{"message": "Not a member", "status": 403}]}).encode()
        self.send_response(403)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
open(sys.argv[1], "w").write(f"{server.server_port}\n")
server.serve_forever()
PYTHON
python3 "$work/server.py" "$work/port" &
until [ -s "$work/port" ]; do sleep 0.1; done

export HOME=$work AIVEN_AUTH_TOKEN=none AIVEN_WEB_URL=http://127.0.0.1:$(cat "$work/port")
show() {
    local who=$1 code=0
    shift
    "$work/venv/bin/avn" "$@" >"$work/out" 2>"$work/err" || code=$?
    echo "$who exit code: $code"
    sed "s/^/$who stdout: /" "$work/out"
    [ -s "$work/out" ] || echo "$who stdout:"
    sed "s/^/$who stderr: /" "$work/err"
}
{
    show project vpc list --project demo --json
    show organization organization vpc list --organization-id org000000000 --json
} | tee "$work/seen"

diff "$work/seen" - <<EXPECTED || { echo "CHANGED: see the differences above" >&2; exit 1; }
project exit code: 1
project stdout: {"message": "Not a member", "errors": [{"message": "Not a member", "status": 403}]}
project stderr: ERROR	command failed: UserError: Project VPC listing for 'demo' failed
organization exit code: 1
organization stdout:
organization stderr: ERROR	command failed: Error: Not a member (status 403)
EXPECTED
