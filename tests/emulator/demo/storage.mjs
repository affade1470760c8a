// A client of Azure Storage queues and tables without any package: Shared Key signing and fetch.
//   node storage.mjs send <queue> <text>    puts a text on a queue, base64-encoded, never expiring
//   node storage.mjs rows <table>           prints all rows of a table, one JSON object a line
// CONNECTION holds the connection string, with all endpoints.
import { createHmac } from "node:crypto";

const parts = Object.fromEntries(process.env.CONNECTION.split(";").filter(Boolean).map((part) => {
  const at = part.indexOf("=");
  return [part.slice(0, at), part.slice(at + 1)];
}));
const sign = (text) => createHmac("sha256", Buffer.from(parts.AccountKey, "base64")).update(text, "utf8").digest("base64");
const resource = (url) => `/${parts.AccountName}${url.pathname}`;

async function call(url, options) {
  const response = await fetch(url, options);
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return response;
}

async function send(queue, text) {
  const url = new URL(`${parts.QueueEndpoint}/${queue}/messages?messagettl=-1`);
  const body = `<QueueMessage><MessageText>${Buffer.from(text).toString("base64")}</MessageText></QueueMessage>`;
  const headers = { "content-type": "application/xml", "x-ms-date": new Date().toUTCString(), "x-ms-version": "2021-12-02" };
  // Content-Length and Content-Type are the only standard headers that are set (REST: "Authorize with Shared Key").
  const standard = ["POST", "", "", Buffer.byteLength(body), "", headers["content-type"], "", "", "", "", "", ""].join("\n");
  const own = `x-ms-date:${headers["x-ms-date"]}\nx-ms-version:${headers["x-ms-version"]}\n`;
  headers.authorization = `SharedKey ${parts.AccountName}:${sign(`${standard}\n${own}${resource(url)}\nmessagettl:-1`)}`;
  await call(url, { method: "POST", headers, body });
}

async function rows(table) {
  let next = "";
  do {
    const url = new URL(`${parts.TableEndpoint}/${table}()${next}`);
    const headers = { accept: "application/json;odata=nometadata", "x-ms-date": new Date().toUTCString(), "x-ms-version": "2021-12-02" };
    headers.authorization = `SharedKeyLite ${parts.AccountName}:${sign(`${headers["x-ms-date"]}\n${resource(url)}`)}`;
    const response = await call(url, { headers });
    for (const row of (await response.json()).value) console.log(JSON.stringify(row));
    const [partition, row] = ["NextPartitionKey", "NextRowKey"].map((key) => response.headers.get(`x-ms-continuation-${key}`));
    next = partition ? `?NextPartitionKey=${encodeURIComponent(partition)}&NextRowKey=${encodeURIComponent(row ?? "")}` : "";
  } while (next);
}

const [command, name, text] = process.argv.slice(2);
if (command === "send" && text) await send(name, text);
else if (command === "rows" && name) await rows(name);
else throw new Error("say: send <queue> <text>, or: rows <table>");
