"""Alerts and workbook, against what the app writes."""

import json
import re

import kql
from tooling import INFRA, ROOT

# Lines as the app writes them: which rules fire, for which value of their dimension.
FIRED = [
    ({"event": "needs_attention", "peering": "p1", "level": "WARN", "message": "x"}, {"needs-attention": "p1"}),
    ({"event": "needs_attention", "peering": "p2", "level": "WARN", "message": "x"}, {"needs-attention": "p2"}),
    ({"event": "needs_attention", "vpc_request": "v1", "level": "WARN", "message": "x"}, {"needs-attention": "v1"}),
    ({"event": "deadline_near", "peering": "p1", "level": "WARN"}, {"deadline-near": "p1"}),
    ({"event": "poisoned", "peering": "p1", "level": "WARN"}, {"poisoned": "p1"}),
    ({"event": "poisoned", "vpc_request": "v1", "level": "WARN"}, {"poisoned": "v1"}),
    ({"event": "drift", "peering": "p1", "level": "WARN"}, {"drift": "p1"}),
    ({"event": "drift", "peering": "p1", "level": "INFO"}, {}),
    ({"event": "drift", "part": "credential", "level": "WARN"}, {"drift": "credential"}),
    ({"event": "unknown_connection", "vpc": "org:o:1", "level": "WARN"}, {"drift": "org:o:1"}),
    ({"event": "brake", "level": "WARN"}, {"brake": None}),
    ({"event": "brake", "level": "INFO"}, {}),
    ({"event": "cause_opened", "service": "aiven", "code": "403", "level": "ERROR"}, {"cause": "aiven"}),
    ({"event": "cause_closed", "service": "aiven", "level": "INFO"}, {}),
    ({"event": "secret_expires", "part": "secret", "level": "WARN"}, {"secret-expires": None}),
    ({"event": "advance", "peering": "p1", "level": "INFO"}, {}),
    ({"event": "wait", "peering": "p1", "level": "INFO"}, {}),
    ({"event": "repair", "peering": "p1", "level": "INFO"}, {}),
    ({"peering": "p1", "level": "INFO", "message": "no event"}, {}),
]
# Runs of functions: (name, success) of each, and the rules that fire. Without any, both do.
RUNS = [
    ([], {"reconcile-missed", "silent"}),
    ([("reconcile", True), ("poll_waiting", True)], set()),
    ([("reconcile", False), ("poll_waiting", True)], {"reconcile-missed"}),
    ([("reconcile", True), ("poll_waiting", False), ("sweep", True)], {"silent"}),
]


def _rules(snapshot):
    """The alert rules by what their names end with."""
    all_ = snapshot.of_type("Microsoft.Insights/scheduledQueryRules")
    return {re.sub(r"^alert-[a-z0-9]+-", "", one["name"]): one["properties"] for one in all_}


def telemetry(snapshots):
    """Queries of alerts and workbook name only what the app writes, and every event that needs a person has an alert."""
    words = json.loads((INFRA / "telemetry.json").read_text())
    functions = {path.parent.name for path in (ROOT / "functions").rglob("function.json")}
    alerts = _rules(snapshots["main"])
    queries = {f"alert {name}": _criterion(one)["query"] for name, one in alerts.items()}
    book = json.loads((INFRA / "modules" / "workbook.json").read_text())
    queries.update({f"workbook {one['name']}": one["content"]["query"] for one in book["items"] if one["type"] == 3})
    for name, query in queries.items():
        yield from (f"{name}: {fault}" for fault in kql.faults(query, words, functions))
    told = {event for name, query in queries.items() if name.startswith("alert ") for event in kql.events(query)}
    silent = {"advance", "again", "back", "wait", "fix", "repair", "cause_closed", "setting_ignored"}
    for event in sorted(set(words["events"]) - silent - told):
        yield f"telemetry.json: nobody is told of {event}"
    for event in sorted(told - {line.get("event") for line, _ in FIRED}):
        yield f"signals.py: no line of FIRED has {event}"
    for event in words["absent"]:
        if event.replace("_", "-") not in alerts:
            yield f"telemetry.json: nobody is told of {event}"
    for name, one in alerts.items():
        every, window = _minutes(one["evaluationFrequency"]), _minutes(one["windowSize"])
        if window <= every:
            yield f"alert {name}: telemetry arrives late, and this window has no time for it"
        if every not in (5, 10, 15, 30, 60) or window not in (5, 10, 15, 30, 45, 60, 120, 180, 240, 300, 360):
            yield f"alert {name}: Azure has no such period"
    yield from _receivers(snapshots)
    yield from _sampled(json.loads((ROOT / "host.json").read_text()))
    yield from _steps(book)
    yield from _emitted(words)


def _criterion(rule):
    return rule["criteria"]["allOf"][0]


def fired(snapshots):
    """Each line fires the rules that it should, as an alert of its own for each peering; and no other."""
    alerts = _rules(snapshots["main"])
    for line, wanted in FIRED:
        found = {}
        for name, rule in alerts.items():
            rows = kql.run(_criterion(rule)["query"], {"traces": [{"message": json.dumps(line)}], "requests": []})
            if "requests" in _criterion(rule)["query"] or not rows:
                continue
            dimensions = [one["name"] for one in _criterion(rule)["dimensions"]]
            found[name] = rows[0].get(dimensions[0], "no such column") if dimensions else None
        if found != wanted:
            yield f"{line} fires {found}, not {wanted}"
    for runs, wanted in RUNS:
        requests = [{"name": name, "success": success} for name, success in runs]
        found = {
            name for name, rule in alerts.items()
            if "requests" in (query := _criterion(rule)["query"]) and kql.run(query, {"requests": requests, "traces": []})}
        if found != wanted:
            yield f"after {runs} {sorted(found)} fire, not {sorted(wanted)}"
    for name, rule in alerts.items():
        for one in _criterion(rule)["dimensions"]:
            if (one["operator"], one["values"]) != ("Include", ["*"]):
                yield f"alert {name}: not every {one['name']} is an alert of its own"


def _receivers(snapshots):
    """Mail and webhooks get every alert, in the schema that has the dimensions; without both nobody does."""
    for name in ("main", "main-people"):
        groups = snapshots[name].of_type("Microsoft.Insights/actionGroups")
        ids = [one["id"] for one in groups]
        for rule, one in _rules(snapshots[name]).items():
            if one["actions"]["actionGroups"] != ids:
                yield f"{name}: alert {rule} reaches {one['actions']['actionGroups']}"
        if len(groups) != (1 if name == "main-people" else 0):
            yield f"{name}: {len(groups)} action groups"
    for one in groups:
        properties = one["properties"]
        mails = [receiver["emailAddress"] for receiver in properties["emailReceivers"]]
        if mails != ["oncall@example.com", "platform@example.com"] or len(properties["webhookReceivers"]) != 1:
            yield f"main-people: receivers are {mails} and {len(properties['webhookReceivers'])} webhooks"
        if not all(receiver["useCommonAlertSchema"] for receiver in properties["emailReceivers"] + properties["webhookReceivers"]):
            yield "main-people: a receiver does not get the common schema, which has the peering"


def _sampled(host):
    """The host samples by default: a line that an alert waits for must not be left out."""
    settings = host.get("logging", {}).get("applicationInsights", {}).get("samplingSettings", {})
    kept = set(settings.get("excludedTypes", "").split(";"))
    if settings.get("isEnabled", True) and not {"Request", "Trace"} <= kept:
        yield "host.json: it samples requests or traces, so that alerts may miss what they wait for"


def _steps(book):
    text = (ROOT / "functions" / "create" / "mod.rs").read_text()
    # A step's folder, module and name are one.
    wanted = re.findall(r"^\s+\w+\(([a-z_]+)::STEP,", text, re.MULTILINE)
    funnel = next(one["content"]["query"] for one in book["items"] if one["name"] == "funnel")
    rows = [(step, int(at)) for step, at in re.findall(r'"([a-z_]+)", (\d+)', funnel)]
    shown = [step for step, at in rows]
    missing = [step for step in wanted if step not in shown]
    extra = [step for step in shown if step not in wanted]
    order = [step for step in shown if step in wanted] != [step for step in wanted if step in shown]
    if missing or extra or order or [at for _, at in rows] != list(range(1, len(rows) + 1)):
        yield f"workbook funnel: its steps are not the runbook's: missing {missing}, unknown {extra}{', in another order' if order else ''}"


def _emitted(words):
    """The code has its events in one place; the templates know just these."""
    text = (ROOT / "functions" / "telemetry.rs").read_text()
    events = set(re.findall(r'^pub const [A-Z_]+: &str = "([a-z_]+)";', text, re.MULTILINE))
    for event in sorted(events ^ set(words["events"])):
        yield f"telemetry.json: event {event} is only {'in the code' if event in events else 'there'}"


def _minutes(period):
    number, unit = re.fullmatch(r"PT(\d+)([MH])", period).groups()
    return int(number) * (60 if unit == "H" else 1)
