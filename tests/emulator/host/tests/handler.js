#!/usr/bin/env node
// A handler for tests: appends every request to $RECORD and answers as the rules in $ANSWERS say.
// A rule: {"method","path","contains","launch", "answers":[…]}; the first that matches answers, its last answer for ever.
// An answer: {"status","headers","body","delay","exit","hang","drop","print"}.
const fs = require("fs");
const http = require("http");
const parent = process.ppid;
setInterval(() => { if (process.ppid !== parent) process.exit(1); }, 200).unref();
const note = (what) => fs.appendFileSync(process.env.RECORD, JSON.stringify({ at: Date.now(), pid: process.pid, ...what }) + "\n");
const launch = fs.existsSync(process.env.RECORD)
  ? fs.readFileSync(process.env.RECORD, "utf8").split("\n").filter((line) => line.includes('"kind":"start"')).length + 1
  : 1;
const rules = JSON.parse(process.env.ANSWERS || "[]").filter((rule) => !rule.launch || rule.launch === launch);
note({ kind: "start", launch, argv: process.argv.slice(1), cwd: process.cwd(), env: process.env });
const atStart = rules.find((rule) => rule.start);
if (atStart && atStart.exit !== undefined) {
  if (!atStart.delay) process.exit(atStart.exit);
  setTimeout(() => process.exit(atStart.exit), atStart.delay);
}
const match = (method, path, body) => rules.find((rule) => !rule.start && (rule.method || "POST") === method
  && (!rule.path || rule.path === path) && (!rule.contains || body.includes(rule.contains)));
const next = (method, path, body) => {
  const rule = match(method, path, body);
  if (!rule) return method === "GET" ? { status: 404 } : {};
  rule.used = (rule.used ?? -1) + 1;
  return rule.answers[Math.min(rule.used, rule.answers.length - 1)];
};
// What earlier launches answered counts.
for (const line of fs.readFileSync(process.env.RECORD, "utf8").split("\n").filter((line) => line.includes('"kind":"request"'))) {
  const { method, path, body } = JSON.parse(line);
  next(method, path, body);
}
const server = http.createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    const body = Buffer.concat(parts).toString();
    const headers = [];
    for (let at = 0; at < request.rawHeaders.length; at += 2) headers.push(request.rawHeaders.slice(at, at + 2));
    const answer = next(request.method, request.url, body);
    note({ kind: "request", launch, method: request.method, path: request.url, headers, body });
    if (answer.print) console.log(answer.print);
    if (answer.hang) return;
    if (answer.exit !== undefined) process.exit(answer.exit);
    if (answer.kill) process.kill(process.pid, "SIGKILL");
    if (answer.drop) return request.socket.destroy();
    const text = answer.body ?? (request.method === "GET" ? "" : "{}");
    setTimeout(() => {
      response.writeHead(answer.status ?? 200, answer.headers ?? { "Content-Type": "application/json" });
      response.end(text);
      note({ kind: "answered", path: request.url });
      if (typeof answer.exitAfter === "number") setTimeout(() => process.exit(answer.exitAfter), 300);
    }, answer.delay ?? 0);
  });
});
server.keepAliveTimeout = 0;
if (!atStart || (!atStart.deaf && atStart.exit === undefined)) setTimeout(() => server.listen(Number(process.env.FUNCTIONS_CUSTOMHANDLER_PORT), "127.0.0.1"), atStart?.delay ?? 0);
else setInterval(() => {}, 1000);
