"""What the templates have before the code; once the code has it, it goes from here."""

from tooling import ROOT

# Queues and functions that the templates know before the code has them; nothing else may be in one and not in the other.
AHEAD = {"reconcile-vpc", "reconcile"}


def landed():
    """What of AHEAD the code has by now."""
    folders = {path.parent.name.replace("_", "-") for path in (ROOT / "functions").rglob("function.json")}
    return sorted(AHEAD & folders)
