#!/usr/bin/env node
// A recording handler: writes every request to $RECORD as it came, and answers as the rules in $ANSWERS say.
// A rule: {"method","path","contains","answers":[…]}; the first that matches answers, its last answer for ever.
// A start rule: {"start":true,"launch","exit","delay","deaf"}.
// An answer: {"status","headers","body","delay","exit","exitAfter","hang","drop","kill"}; times in milliseconds.
const fs = require("fs");
const http = require("http");
const { RECORD, ANSWERS, FUNCTIONS_CUSTOMHANDLER_PORT } = process.env;
const parent = process.ppid;
setInterval(() => { if (process.ppid !== parent) process.exit(1); }, 200).unref();
const records = () => (fs.existsSync(RECORD) ? fs.readFileSync(RECORD, "utf8") : "").split("\n").filter(Boolean).map((line) => JSON.parse(line));
const earlier = records();
const launch = earlier.filter((record) => record.kind === "start").length + 1;
const note = (what) => fs.appendFileSync(RECORD, JSON.stringify({ at: Date.now(), launch, ...what }) + "\n");
note({ kind: "start", argv: process.argv.slice(1), cwd: process.cwd() });

const rules = JSON.parse(ANSWERS);
const start = rules.find((rule) => rule.start && rule.launch === launch) ?? {};
if (start.exit !== undefined) setTimeout(() => process.exit(start.exit), start.delay ?? 0);
const next = (method, path, body) => {
  const rule = rules.find((rule) => !rule.start && rule.method === method && rule.path === path && body.includes(rule.contains));
  if (!rule) return method === "GET" ? { status: 200 } : { body: "{}", headers: { "Content-Type": "application/json" } };
  rule.used = (rule.used ?? -1) + 1;
  return rule.answers[Math.min(rule.used, rule.answers.length - 1)];
};
// What earlier launches answered counts.
for (const record of earlier) if (record.kind === "request") next(record.method, record.path, record.body);

// The sizes of a request's chunks, from the bytes as they came.
const chunks = (raw) => {
  const sizes = [];
  for (let at = raw.indexOf("\r\n\r\n") + 4; ;) {
    const end = raw.indexOf("\r\n", at);
    const size = parseInt(raw.subarray(at, end).toString(), 16);
    if (!size) return sizes;
    sizes.push(size);
    at = end + 2 + size + 2;
  }
};
const respond = (response, answer) => {
  if (answer.headers?.HTTP) return respondAsOldServersDo(response.socket, answer);
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
  response.writeHead(answer.status ?? 200);
  response.end(answer.body ?? "");
  note({ kind: "answered", method: response.req.method });
  if (typeof answer.exitAfter === "number") setTimeout(() => process.exit(answer.exitAfter), 300);
};
const respondAsOldServersDo = (socket, { status, headers, body }) => {
  socket.end(`HTTP/${headers.HTTP} ${status} OK\r\nContent-Type: ${headers["Content-Type"]}\r\n\r\n${body}`);
  note({ kind: "answered", method: "POST" });
};
const server = http.createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    const body = Buffer.concat(parts).toString();
    const headers = [];
    for (let at = 0; at < request.rawHeaders.length; at += 2) headers.push(request.rawHeaders.slice(at, at + 2));
    const raw = Buffer.concat(request.socket.raw);
    request.socket.raw = [];
    const chunked = request.headers["transfer-encoding"] === "chunked";
    const answer = next(request.method, request.url, body);
    note({ kind: "request", method: request.method, path: request.url, version: request.httpVersion, headers, body, chunks: chunked ? chunks(raw) : null });
    if (answer.kill) process.kill(process.pid, "SIGKILL");
    if (answer.exit !== undefined) process.exit(answer.exit);
    if (answer.drop) return request.socket.destroy();
    if (!answer.hang) setTimeout(respond, answer.delay ?? 0, response, answer);
  });
});
server.on("connection", (socket) => { socket.raw = []; socket.prependListener("data", (part) => socket.raw.push(part)); });
server.keepAliveTimeout = 0;
if (start.exit === undefined && !start.deaf) setTimeout(() => server.listen(Number(FUNCTIONS_CUSTOMHANDLER_PORT), "127.0.0.1"), start.delay ?? 0);
else setInterval(() => {}, 1000);
