"""Queries of Application Insights: every name in one is a column, a function or something that the query itself made."""

import json
import re

COLUMNS = {
    "traces": {"timestamp", "message", "severityLevel", "itemType", "customDimensions", "operation_Id", "cloud_RoleName", "itemCount"},
    "requests": {"timestamp", "name", "success", "duration", "resultCode", "operation_Id", "cloud_RoleName", "itemCount", "customDimensions"},
}
WORDS = set(
    "and or not by in on asc desc kind rightouter let string int true false where extend project summarize order join datatable"
    " startswith isnotempty isnotnull parse_json tobool tostring tolong arg_max dcount count countif sum max percentile coalesce iff now next".split())


def events(query):
    """Events that a query asks for."""
    found = re.findall(r'\bevent == "([a-z_]+)"', query)
    for group in re.findall(r"\bevent in \(([^)]*)\)", query):
        found += re.findall(r'"([a-z_]+)"', group)
    return found


def faults(query, words, functions):
    """What is wrong with a query; `words` are the app's events and fields, `functions` the names of its functions."""
    bare = re.sub(r'"[^"]*"', '""', query)
    if query.count('"') % 2 or any(bare.count(one) != bare.count(other) for one, other in ("()", "[]")):
        yield "quotes or brackets do not match"
    for event in events(query):
        if event not in words["events"]:
            yield f"there is no event {event}"
    for field in re.findall(r"\bline\.(\w+)", bare):
        if field not in words["fields"]:
            yield f"a line has no field {field}"
    for name in re.findall(r'\bname == "(\w+)"', query):
        if name not in functions:
            yield f"there is no function {name}"
    # After what `let` makes, a query begins with its table.
    table = re.match(r"\s*(\w+)", bare.split(";")[-1]).group(1)
    if table not in COLUMNS:
        yield f"there is no table {table}"
    columns = COLUMNS.get(table, set())
    made = set(re.findall(r"\b(\w+)\s*=(?![=~])", bare)) | set(re.findall(r"datatable\(([^)]*)\)", bare) and re.findall(r"(\w+):", bare))
    # The other side of a join has the same names with a number.
    made |= {f"{name}1" for name in made} if "join " in bare else set()
    for name in sorted(set(re.findall(r"(?<![.\w])[A-Za-z_]\w*", bare)) - columns - made - WORDS - {table}):
        yield f"{name} is no column, no function, and nothing that the query made"


def run(query, tables):
    """The rows of an alert's query: as much of the language as alerts use, and an error for anything else."""
    table, *steps = [part.strip() for part in query.split("|")]
    rows = [dict(row) for row in tables.get(table, [])]
    for step in steps:
        word, _, rest = step.partition(" ")
        if word == "where":
            rows = [row for row in rows if _true(rest, row)]
        elif word == "extend":
            rows = [{**row, **_assigned(rest, row)} for row in rows]
        elif word == "project":
            rows = [_assigned(rest, row) for row in rows]
        elif step == "summarize runs = count()":
            rows = [{"runs": len(rows)}]
        else:
            raise ValueError(f"{step!r} is not understood")
    return rows


def _true(text, row):
    return all(_holds(one.strip(), row) for one in text.split(" and "))


def _holds(text, row):
    if one := re.fullmatch(r'(\w+) (==|!=|startswith) "([^"]*)"', text):
        value, operator, other = row[one[1]], one[2], one[3]
        return {"==": value == other, "!=": value != other, "startswith": value.startswith(other)}[operator]
    if one := re.fullmatch(r"(\w+) in \(([^)]*)\)", text):
        return row[one[1]] in re.findall(r'"([^"]*)"', one[2])
    if one := re.fullmatch(r"(\w+) == (\d+)", text):
        return row[one[1]] == int(one[2])
    if one := re.fullmatch(r"tobool\((\w+)\)", text):
        return bool(row[one[1]])
    raise ValueError(f"{text!r} is not understood")


def _assigned(text, row):
    """`a = f(b), c`: every name with its value."""
    found = {}
    for part in _listed(text):
        name, _, value = part.partition(" = ")
        found[name] = _value(value or name, row)
    return found


def _listed(text):
    """What commas outside of brackets part."""
    parts, depth = [""], 0
    for one in text:
        depth += (one == "(") - (one == ")")
        if one == "," and not depth:
            parts.append("")
        else:
            parts[-1] += one
    return [part.strip() for part in parts]


def _value(text, row):
    if one := re.fullmatch(r"coalesce\((.*)\)", text):
        return next((value for value in (_value(inner, row) for inner in _listed(one[1])) if value), "")
    if one := re.fullmatch(r"parse_json\((\w+)\)", text):
        return json.loads(row[one[1]])
    if one := re.fullmatch(r"tostring\((\w+)\.(\w+)\)", text):
        return str(row[one[1]].get(one[2]) or "")
    if re.fullmatch(r"\w+", text):
        return row.get(text, "")
    raise ValueError(f"{text!r} is not understood")
