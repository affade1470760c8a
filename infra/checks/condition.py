"""Conditions of role assignments: read, and decided, as the documentation of Azure ABAC's format says. What is not in our text is refused."""

import re

_TOKEN = re.compile(r"""\s*(?:
    (?P<matches>ActionMatches\{'(?P<action>[^'{}]+)'\})
  | (?P<set>@(?P<source>Request|Resource)\[Microsoft\.Authorization/roleAssignments:(?P<attribute>RoleDefinitionId|PrincipalId)\]
        \s+ForAnyOfAnyValues:GuidEquals\s+\{(?P<guids>[0-9a-f]{8}-[0-9a-f-]{27}(?:,\s*[0-9a-f]{8}-[0-9a-f-]{27})*)\})
  | (?P<word>AND|OR|!|\(|\))
)""", re.VERBOSE)
LONGEST = 8192  # characters that Azure takes


class Condition:
    """A parsed condition."""

    def __init__(self, text):
        if len(text) > LONGEST:
            raise ValueError(f"it has {len(text)} characters")
        self._tokens, at = [], 0
        while at < len(text):
            token = _TOKEN.match(text, at)
            if token is None:
                raise ValueError(f"at {text[at:at + 40]!r}")
            self._tokens.append(token)
            at = token.end()
        self._at = 0
        self._tree = self._or()
        if self._at != len(self._tokens):
            raise ValueError(f"something follows its end: {self._tokens[self._at].group()!r}")

    def met(self, action, source, role, principal):
        """Whether it lets an action pass, on an assignment of the role to the principal, given in the request or there already."""
        return self._decide(self._tree, action, source, {"RoleDefinitionId": role, "PrincipalId": principal})

    def _decide(self, node, action, source, values):
        kind, *inner = node
        if kind == "!":
            return not self._decide(inner[0], action, source, values)
        if kind == "AND":
            return all(self._decide(one, action, source, values) for one in inner)
        if kind == "OR":
            return any(self._decide(one, action, source, values) for one in inner)
        token = inner[0]
        if kind == "action":
            return token["action"].lower() == action.lower()
        # An attribute of a source that there is not: no value, so none that is equal.
        return token["source"] == source and values[token["attribute"]] in re.split(r",\s*", token["guids"])

    def _or(self):
        return self._chain("OR", self._and)

    def _and(self):
        return self._chain("AND", self._one)

    def _chain(self, word, inner):
        parts = [inner()]
        while self._word() == word:
            self._at += 1
            parts.append(inner())
        return parts[0] if len(parts) == 1 else (word, *parts)

    def _word(self):
        return self._tokens[self._at]["word"] if self._at < len(self._tokens) else None

    def _one(self):
        if self._at == len(self._tokens):
            raise ValueError("it ends early")
        token = self._tokens[self._at]
        self._at += 1
        if token["word"] == "!":
            return ("!", self._one())
        if token["word"] == "(":
            inner = self._or()
            if self._word() != ")":
                raise ValueError("a bracket is not closed")
            self._at += 1
            return inner
        if token["word"]:
            raise ValueError(f"{token['word']!r} is out of place")
        return ("action", token) if token["matches"] else ("set", token)
