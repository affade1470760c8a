"""Reads Bicep files: what they declare, and every expression worked out as far as that goes without a deployment.

What is worked out is a Python value. What is not is one of:
  Unknown   an expression of which at most the kind is known
  Choice    one of several values: both sides of `?:`, or the items that a loop goes through
  Each      a list with one item for everything that a loop goes through
"""

import re
import uuid
from pathlib import Path

import tree_sitter_bicep
from tree_sitter import Language, Parser

_PARSER = Parser(Language(tree_sitter_bicep.language()))
_KINDS = {"string": "string", "int": "int", "bool": "bool", "object": "object", "array": "array", "secureString": "string"}
_CALLS = {
    "string": "guid uniqueString toLower trim join subscriptionResourceId loadTextContent readEnvironmentVariable format",
    "array": "split concat map filter items take", "bool": "empty", "object": "union",
}
CALL_KINDS = {name: kind for kind, names in _CALLS.items() for name in names.split()}
# The published grammar (1.1.0) lacks this one statement of the language: only this line, as a whole, is left out of the parse.
EXTENSION = re.compile(rb"^extension ([A-Za-z0-9]+)$", re.MULTILINE)


# Of ARM's and Bicep's guid(): version 5, of the arguments joined by hyphens.
_GUIDS = uuid.UUID("11fb06fb-712d-4ddd-98c7-e71bbd588830")


def guid(*parts):
    """What the template function guid() gives."""
    return str(uuid.uuid5(_GUIDS, "-".join(parts)))


class Unknown:
    def __init__(self, kind=None, text=""):
        self.kind, self.text = kind, text

    def __repr__(self):
        return f"<{self.kind or 'something'}: {self.text[:60]}>"


class Choice:
    def __init__(self, values):
        self.values = [inner for one in values for inner in (one.values if isinstance(one, Choice) else [one])]


class Each:
    def __init__(self, item):
        self.item = item


class Resource:
    """A resource, nested ones included: `type` is whole, `body` worked out."""

    def __init__(self, file, line, symbol, kind, version, body, existing, comments):
        self.file, self.line, self.symbol, self.type, self.version = file, line, symbol, kind, version
        self.body, self.existing, self.comments = body, existing, comments

    def __repr__(self):
        return f"{self.file.path}:{self.line} {self.symbol} ({self.type})"


class File:
    """One parsed file.

    `text` is parsed instead of the file's own content, for trying breaks. `given` has values of parameters, and of what only a
    deployment knows, by its text: `subscription().id`.
    """

    def __init__(self, path, folder, text=None, given=None):
        self.path, self._folder, self._given = path.relative_to(folder), folder, given or {}
        self.source = (path.read_text("utf-8") if text is None else text).encode()
        parsed = self.source
        if path.suffix == ".bicepparam":
            # The grammar's `param` has a type; the one of a parameter file has none, like its `var`.
            parsed = re.sub(rb"^param ", b"var   ", parsed, flags=re.MULTILINE)
        self.extensions = [name.decode() for name in EXTENSION.findall(parsed)]
        parsed = EXTENSION.sub(lambda line: b" " * len(line.group()), parsed)
        self.root = _PARSER.parse(parsed).root_node
        self.params, self.vars, self.types, self.outputs, self.modules, self.resources, self.imports = {}, {}, {}, {}, {}, [], {}
        self.decorators = {}
        self._cache = {}
        self.target_scope = "resourceGroup"
        self._declare()

    def broken(self):
        """Places that the parser could make nothing of: (line, what)."""
        found = []
        walk(self.root, lambda node: found.append((_line(node), node.type, _text(node)[:60])) if node.is_error or node.is_missing else None)
        return found

    def _declare(self):
        pending = []
        for node in self.root.named_children:
            kind = node.type
            if kind == "decorators":
                pending = [self._decorator(one) for one in node.named_children]
                continue
            names = [child for child in node.named_children if child.type == "identifier"]
            name = _text(names[0]) if names else ""
            if kind == "parameter_declaration":
                self.params[name] = node
            elif kind == "variable_declaration":
                self.vars[name] = node.named_children[-1]
            elif kind == "type_declaration":
                self.types[name] = node.named_children[-1]
            elif kind == "output_declaration":
                self.outputs[name] = node
            elif kind == "module_declaration":
                self.modules[name] = node
            elif kind == "import_functionality":
                source = _text(node.named_children[-1]).strip("'")
                self.imports.update({_text(one): source for one in names})
            elif kind == "target_scope_assignment":
                self.target_scope = _text(node.named_children[-1]).strip("'")
            if kind not in ("comment", "diagnostic_comment"):
                self.decorators[(kind, name)] = dict(pending)
                pending = []
        for node in self.root.named_children:
            if node.type == "resource_declaration":
                self._resource(node, "", "")

    def _decorator(self, node):
        call = node.named_children[0]
        function, arguments = call.named_children
        return _text(function).replace("sys.", ""), [self.value(one) for one in arguments.named_children]

    def _resource(self, node, outer, version):
        name = _text(node.named_children[0])
        kind = _text(node.named_children[1]).strip("'")
        existing = any(child.type == "existing" for child in node.children)
        kind, _, own_version = kind.partition("@")
        kind, version = (f"{outer}/{kind}" if outer else kind), own_version or version
        names, body = self._unwrap(node.named_children[-1], {})
        comments = [_text(one) for one in body.named_children if one.type == "comment"]
        self.resources.append(
            Resource(self, _line(node), name, kind, version, self._object(body, names), existing, comments))
        for property_ in body.named_children:
            if property_.type == "object_property" and property_.named_children[0].type == "resource_declaration":
                self._resource(property_.named_children[0], kind, version)

    def _unwrap(self, node, names):
        """The object inside `[for …: {}]` and `if (…) {}`, with what the loop's variables are."""
        while node.type in ("for_statement", "if_statement"):
            if node.type == "for_statement":
                names = {**names, **self._loop(node, names)}
            node = node.named_children[-1]
        return names, node

    def _loop(self, node, names):
        variables, through, _ = node.named_children if len(node.named_children) == 3 else (None, *node.named_children)
        through = self.value(through, names)
        item = Choice(through) if isinstance(through, list) else Unknown()
        if variables is None:
            return {}
        if variables.type == "for_loop_parameters":
            one, at = (_text(child) for child in variables.named_children)
            return {one: item, at: Unknown("int")}
        return {_text(variables): item}

    def variable(self, name):
        if name not in self._cache:
            self._cache[name] = Unknown()  # Whoever refers to himself.
            self._cache[name] = self.value(self.vars[name])
        return self._cache[name]

    def _name(self, name, names):
        if name in names:
            return names[name]
        if name in self.vars:
            return self.variable(name)
        if name in self.params:
            return self._param(name)
        if name in self.imports:
            other = self._imported(name)
            return other.variable(name) if name in other.vars else Unknown()
        return Unknown(text=name)

    def _imported(self, name):
        return File(((self._folder / self.path).parent / self.imports[name]).resolve(), self._folder)

    def _param(self, name):
        if name in self._given:
            return self._given[name]
        decorators = self.decorators[("parameter_declaration", name)]
        if "allowed" in decorators:
            return Choice(decorators["allowed"][0])
        return Unknown(self.kind_of(self.params[name].named_children[1]), name)

    def kind_of(self, node):
        """`string`, `int`, `bool`, `object`, `array` or None from a declared type."""
        text = _text(node)
        if text.endswith("[]"):
            return "array"
        if text.startswith("{"):
            return "object"
        if text in self.types:
            return self.kind_of(self.types[text])
        if text in self.imports:
            other = self._imported(text)
            return other.kind_of(other.types[text])
        return _KINDS.get(text)

    def value(self, node, names={}):
        kind = node.type
        if kind in ("string",):
            return self._string(node, names)
        if kind in ("number",):
            return int(_text(node))
        if kind == "boolean":
            return _text(node) == "true"
        if kind == "null":
            return None
        if kind == "identifier":
            return self._name(_text(node), names)
        if kind == "parenthesized_expression":
            # In a list the grammar takes the two halves of `f()` for two items.
            return self.value(node.named_children[0], names) if node.named_children else Unknown()
        if kind == "array":
            return [self.value(one, names) for one in node.named_children if one.type not in ("comment", "decorators")]
        if kind == "object":
            return self._object(node, names)
        if kind == "for_statement":
            inner, body = self._unwrap(node, names)
            return Each(self.value(body, inner))
        if kind == "ternary_expression":
            if self._given and (sure := self._condition(node.named_children[0], names)) is not None:
                return self.value(node.named_children[1 if sure else 2], names)
            return Choice(self.value(one, names) for one in node.named_children[1:])
        if kind == "call_expression":
            return self._call(node, names)
        if kind == "member_expression":
            return self._member(node, names)
        if kind in ("unary_expression", "binary_expression"):
            return Unknown("bool" if re.search(r"==|!|&&|\|\||[<>]", _text(node)) else None, _text(node))
        return Unknown(text=_text(node))

    def _condition(self, node, names):
        """`a == b`, where both are known."""
        sides = [self.value(one, names) for one in node.named_children]
        known = node.type == "binary_expression" and node.children[1].type == "==" and all(isinstance(one, str) for one in sides)
        return sides[0] == sides[1] if known else None

    def _string(self, node, names):
        parts = [self._part(child, names) for child in node.named_children]
        if any(not isinstance(one, str) for part in parts for one in part):
            return Unknown("string", _text(node))
        texts = [""]
        for part in parts:
            texts = [text + one for text in texts for one in part]
        return texts[0] if len(texts) == 1 else Choice(texts)

    def _part(self, node, names):
        if node.type != "interpolation":
            return [re.sub(r"\\(.)", r"\1", _text(node))]
        value = self.value(node.named_children[0], names)
        return value.values if isinstance(value, Choice) else [value]

    def _object(self, node, names):
        found = {}
        for one in node.named_children:
            if one.type != "object_property" or one.named_children[0].type == "resource_declaration":
                continue
            key = one.named_children[0] if one.named_children else one
            name = _text(key).strip("'") if key.type in ("identifier", "string", "compatible_identifier") else _text(one.children[0])
            found[name] = self.value(one.named_children[-1], names)
        return found

    def _call(self, node, names):
        function = _text(node.named_children[0])
        arguments = [self.value(one, names) for one in node.named_children[1].named_children]
        if function == "union" and any(isinstance(one, dict) for one in arguments):
            merged = {}
            for one in arguments:
                merged.update(one if isinstance(one, dict) else {})
            return merged
        if function == "guid" and all(isinstance(one, str) for one in arguments):
            return guid(*arguments)
        if function == "loadTextContent" and isinstance(arguments[0], str):
            return ((self._folder / self.path).parent / arguments[0]).read_text("utf-8")
        return Unknown(CALL_KINDS.get(function), _text(node))

    def _member(self, node, names):
        if _text(node) in self._given:
            return self._given[_text(node)]
        outer, name = self.value(node.named_children[0], names), _text(node.named_children[-1])
        if isinstance(outer, dict):
            return outer.get(name, Unknown(text=_text(node)))
        if isinstance(outer, Choice) and all(isinstance(one, dict) and name in one for one in outer.values):
            return Choice(one[name] for one in outer.values)
        return Unknown(text=_text(node))


def walk(node, visit):
    """Shows a node and everything in it."""
    visit(node)
    for child in node.children:
        walk(child, visit)


def _text(node):
    return node.text.decode()


def _line(node):
    return node.start_point[0] + 1


def everything(value):
    """Every value inside a value, itself included: of choices all, of loops one round."""
    yield value
    inner = (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else
        value.values if isinstance(value, Choice) else [value.item] if isinstance(value, Each) else [])
    for one in inner:
        yield from everything(one)


def read(folder):
    """Every template and parameter file below a folder, by its path."""
    found = sorted(path for kind in ("bicep", "bicepparam") for path in Path(folder).rglob(f"*.{kind}"))
    return {str(path.relative_to(folder)): File(path, Path(folder)) for path in found}
