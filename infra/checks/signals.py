"""Alerts and workbook, against what the app writes."""

import json
import re

import kql
from tooling import INFRA, ROOT


def telemetry(files):
    """Queries of alerts and workbook name only what the app writes, and every event that needs a person has an alert."""
    words = json.loads((INFRA / "telemetry.json").read_text())
    functions = {path.parent.name for path in (ROOT / "functions").rglob("function.json")}
    alerts = {one["name"]: one for one in files["modules/alerts.bicep"].variable("rules")}
    queries = {f"alert {name}": one["query"] for name, one in alerts.items()}
    book = json.loads((INFRA / "modules" / "workbook.json").read_text())
    queries.update({f"workbook {one['name']}": one["content"]["query"] for one in book["items"] if one["type"] == 3})
    for name, query in queries.items():
        if not isinstance(query, str):
            yield f"{name}: its query could not be worked out"
            continue
        yield from (f"{name}: {fault}" for fault in kql.faults(query, words, functions))
    told = {event for name, query in queries.items() if name.startswith("alert ") for event in kql.events(query)}
    silent = {"advance", "again", "back", "wait", "fix", "repair", "cause_closed", "setting_ignored"}
    for event in sorted(set(words["events"]) - silent - told):
        yield f"telemetry.json: nobody is told of {event}"
    for event in words["absent"]:
        if event.replace("_", "-") not in alerts:
            yield f"telemetry.json: nobody is told of {event}"
    for name, one in alerts.items():
        if _minutes(one["window"]) <= _minutes(one["every"]):
            yield f"alert {name}: telemetry arrives late, and this window has no time for it"
        if _minutes(one["every"]) not in (5, 10, 15, 30, 60) or _minutes(one["window"]) not in (5, 10, 15, 30, 45, 60, 120, 180, 240, 300, 360):
            yield f"alert {name}: Azure has no such period"
    yield from _sampled(json.loads((ROOT / "host.json").read_text()))
    yield from _steps(book)
    yield from _emitted(words)


def _sampled(host):
    """The host samples by default: a line that an alert waits for must not be left out."""
    settings = host.get("logging", {}).get("applicationInsights", {}).get("samplingSettings", {})
    kept = set(settings.get("excludedTypes", "").split(";"))
    if settings.get("isEnabled", True) and not {"Request", "Trace"} <= kept:
        yield "host.json: it samples requests or traces, so that alerts may miss what they wait for"


def _steps(book):
    text = (ROOT / "functions" / "create" / "mod.rs").read_text()
    # A step's folder, module and name are one.
    wanted = re.findall(r"^\s+row\(([a-z_]+)::STEP,", text, re.MULTILINE)
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
