"""Queries of Application Insights: every name in one is a column, a function or something that the query itself made."""

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
