"""What the compiler would refuse and a parser does not see: names that nobody declared or uses, and what modules are given."""

from pathlib import PurePosixPath

import bicep

# Of the language's functions those that are used here; another one is added when it is needed.
FUNCTIONS = set(
    "concat contains empty environment filter first format guid int items join length loadTextContent map readEnvironmentVariable"
    " resourceGroup split string subscription subscriptionResourceId take tenant toLower toUpper trim union uniqueString".split())
DECORATORS = set("allowed batchSize description export maxLength maxValue metadata minLength minValue secure".split())
TYPES = {"string", "int", "bool", "object", "array"}


def check(files):
    """Returns (faults, number of names looked at)."""
    faults, count = [], 0
    exported = {path: {name for (kind, name), all_ in file.decorators.items() if "export" in all_} for path, file in files.items()}
    used_from = {path: set() for path in files}
    for path, file in files.items():
        declared = {**file.params, **file.vars, **file.modules, **file.types, **file.imports}
        declared.update({one.symbol: one for one in file.resources})
        used = _used(file)
        count += len(used)
        locals_ = _locals(file.root)
        for name in sorted(used - set(declared) - FUNCTIONS - DECORATORS - TYPES - locals_):
            faults.append(f"{path}: {name} is declared nowhere")
        idle = {**file.params, **file.vars, **file.types, **file.imports} if path.endswith(".bicep") else {}
        for name in sorted(set(idle) - used - exported[path]):
            faults.append(f"{path}: {name} is not used")
        for name, source in file.imports.items():
            target = _resolve(path, source)
            used_from.setdefault(target, set()).add(name)
            if name not in exported.get(target, ()):
                faults.append(f"{path}: {name} is not exported by {target}")
        faults += _described(path, file)
        for symbol, node in file.modules.items():
            faults += _module(files, path, file, symbol, node)
        if path.endswith(".bicepparam"):
            faults += _parameters(files, path, file)
    for path, names in exported.items():
        used_there = _used(files[path])
        faults += [f"{path}: {name} is exported and used nowhere" for name in sorted(names - used_from[path] - used_there)]
    return faults, count


def _resolve(path, source):
    parts = []
    for part in (PurePosixPath(path).parent / source).parts:
        parts = parts[:-1] if part == ".." else [*parts, part]
    return "/".join(parts)


def _used(file):
    """Every name that is read somewhere: not where it is declared, no key of an object, no member."""
    found = set()

    def visit(node):
        parent = node.parent
        if node.type != "identifier":
            return
        first = parent.named_children[0] == node
        declares = parent.type.endswith("_declaration") or parent.type in ("import_functionality", "for_loop_parameters", "target_scope_assignment")
        if (declares and first) or (parent.type == "object_property" and first) or parent.type == "import_functionality":
            return
        # `vnet::functions`: the second is a resource inside the first.
        found.add(node.text.decode())

    bicep.walk(file.root, visit)
    # A type after a parameter's name is an identifier or inside a `type` node, whose text says it.
    for node in [*file.params.values(), *file.outputs.values()]:
        found.add(node.named_children[1].text.decode().rstrip("?").removesuffix("[]"))
    return {name for name in found if name.isidentifier()}


def _locals(root):
    """Variables of loops and lambdas."""
    found = set()

    def visit(node):
        if node.type == "loop_variable" or node.type == "loop_enumerator":
            found.add(node.text.decode())
        elif node.type == "for_statement" and node.named_children[0].type == "identifier":
            found.add(node.named_children[0].text.decode())
        elif node.type == "lambda_expression":
            found.add(node.named_children[0].text.decode())

    bicep.walk(root, visit)
    return found


def _described(path, file):
    """The linter wants parameters, outputs and types described, and so do people."""
    for kind, names in (("parameter_declaration", file.params), ("output_declaration", file.outputs), ("type_declaration", file.types)):
        for name in names:
            if path.endswith(".bicep") and "description" not in file.decorators[(kind, name)]:
                yield f"{path}: {name} has no @description"


def _module(files, path, file, symbol, node):
    target = _resolve(path, node.named_children[1].text.decode().strip("'"))
    if target not in files:
        yield f"{path}: module {symbol} is {target}, which is not there"
        return
    names, body = file._unwrap(node.named_children[-1], {})
    given = file._object(body, names)
    yield from _given(f"{path}: module {symbol}", files[target], given.get("params", {}))
    other_scope = file.target_scope != files[target].target_scope
    if other_scope and "scope" not in given:
        yield f"{path}: module {symbol} is for a {files[target].target_scope}, and no scope is given"
    wanted = set()

    def visit(one):
        outer = one.named_children[0] if one.type == "member_expression" else None
        if outer is not None and outer.type == "member_expression" and outer.named_children[-1].text.decode() == "outputs":
            owner = outer.named_children[0].text.decode()
            if owner.split("[")[0].rstrip("!") == symbol:
                wanted.add(one.named_children[-1].text.decode())

    bicep.walk(file.root, visit)
    for name in sorted(wanted - set(files[target].outputs)):
        yield f"{path}: {target} has no output {name}"


def _given(where, target, given):
    """What a module or a parameter file gives, against what the template takes."""
    for name, node in target.params.items():
        if name not in given and len(node.named_children) < 3:
            yield f"{where}: {name} is not given"
    for name, value in given.items():
        if name not in target.params:
            yield f"{where}: {name} is no parameter of {target.path}"
            continue
        wanted = target.kind_of(target.params[name].named_children[1])
        for one in value.values if isinstance(value, bicep.Choice) else [value]:
            kind = _kind(one)
            if kind and wanted and kind != wanted:
                yield f"{where}: {name} is {wanted}, and {kind} is given"
        allowed = target.decorators[("parameter_declaration", name)].get("allowed")
        for one in value.values if isinstance(value, bicep.Choice) else [value]:
            if allowed and isinstance(one, (str, int)) and one not in allowed[0]:
                yield f"{where}: {name} is {one!r}, none of {allowed[0]}"


def _kind(value):
    for type_, kind in ((bool, "bool"), (int, "int"), (str, "string"), (dict, "object"), (list, "array"), (bicep.Each, "array")):
        if isinstance(value, type_):
            return kind
    return getattr(value, "kind", None)


def _parameters(files, path, file):
    using = next((node for node in file.root.named_children if node.type == "using_statement"), None)
    target = files.get(_resolve(path, using.named_children[0].text.decode().strip("'"))) if using else None
    if target is None:
        yield f"{path}: it says `using` of no template that is there"
        return
    yield from _given(path, target, {name: file.variable(name) for name in file.vars})
