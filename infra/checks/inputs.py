"""Wrong inputs, and what is said of each before anything is made: fail() in the templates, by the compiler's prediction."""

import re

from compiler import Refused
from grants import sample

_SUBNET = f"/subscriptions/{sample('3')}/resourceGroups/network/providers/Microsoft.Network/virtualNetworks/hub/subnets/functions"
_GRANTS = {
    "subscriptionIds": f"['{sample('3')}']", "identityPrincipalId": f"'{sample('1')}'",
    "applicationPrincipalId": f"'{sample('2')}'", "aivenPrincipalId": f"'{sample('4')}'"}
_GIVEN = {
    "main": {"environmentName": "'prod'", "location": "'northeurope'"}, "app": {"environmentName": "'prod'"},
    "identity": {"environmentName": "'prod'", "location": "'northeurope'"}, "grants": _GRANTS,
    "landing-zone": {name: value for name, value in _GRANTS.items() if name != "subscriptionIds"},
}
# Template, parameters in the place of good ones, what is said.
WRONG = [
    ("main", {"installation": "'Team A'"}, 'installation: "Team A" has to be 1 to 32 lower-case letters'),
    ("main", {"installation": "''"}, 'installation: "" has to be'),
    ("main", {"installation": f"'{'a' * 33}'"}, "has to be 1 to 32"),
    ("main", {"environmentName": "'prod.eu'"}, 'environmentName: "prod.eu" has to be'),
    ("main", {"environmentName": "'prod(1)'"}, 'environmentName: "prod(1)" has to be'),
    ("main", {"environmentName": "'my prod'"}, 'environmentName: "my prod" has to be'),
    ("main", {"environmentName": "'größe'"}, "has to be 1 to 40 letters"),
    ("main", {"environmentName": f"'{'a' * 41}'"}, "has to be 1 to 40 letters"),
    ("main", {"resourceGroupName": "'rg.'"}, 'resourceGroupName: "rg." has to be'),
    ("main", {"resourceGroupName": "'rg/a'"}, 'resourceGroupName: "rg/a" has to be'),
    ("main", {"networkDefaultAction": "'Deny'"}, "networkDefaultAction: with Deny the app reaches its own storage from its subnet only"),
    ("main", {"useVnet": "true", "existingSubnetId": f"'{_SUBNET}'"}, "existingSubnetId: the app has one subnet"),
    ("main", {"existingSubnetId": "'functions'"}, "is not the resource id of a subnet"),
    ("main", {"privateEndpoints": "true"}, "privateEndpoints: the app reaches them from its subnet only"),
    ("main", {"privateEndpoints": "true", "existingSubnetId": f"'{_SUBNET}'"}, "privateEndpointSubnetId: name the subnet"),
    ("main", {"privateEndpointSubnetId": f"'{_SUBNET}'"}, "privateEndpointSubnetId: it is for privateEndpoints"),
    ("main", {"zoneRedundant": "true"}, "zoneRedundant: the storage account has to survive a zone"),
    ("main", {"allowedIpRanges": "['203.0.113.4/31']"}, '"203.0.113.4/31" is refused by storage'),
    ("main", {"allowedIpRanges": "['203.0.113.4/32']"}, "Write each address without a length"),
    ("main", {"allowedIpRanges": "['10.1.0.0/16']"}, '"10.1.0.0/16" is private'),
    ("main", {"allowedIpRanges": "['172.31.0.1']"}, '"172.31.0.1" is private'),
    ("main", {"allowedIpRanges": "['2001:db8::1']"}, "is not an IPv4 address or range"),
    ("main", {"alertEmails": "'oncall'"}, 'alertEmails: "oncall" is not a mail address'),
    ("main", {"alertEmails": "'a@example.com; b@example.com'"}, "is not a mail address"),
    ("main", {"requesterPrincipalIds": "['platform-team']"}, 'requesterPrincipalIds: "platform-team" is not a GUID'),
    ("main", {"readerPrincipalIds": "['a@example.com']"}, "readerPrincipalIds: "),
    ("main", {"secretOfficerPrincipalIds": f"['{sample('9')}0']"}, "secretOfficerPrincipalIds: "),
    ("main", {"operatorPrincipalIds": f"['{sample('5')}']"}, "Give each id to requesterPrincipalIds"),
    ("main", {"allowedSubscriptions": "['production']"}, 'allowedSubscriptions: "production" is not a GUID'),
    ("main", {"applicationId": "'aiven'"}, 'applicationId: "aiven" is not a GUID'),
    ("main", {"aivenRoleId": "'peer only'"}, 'aivenRoleId: "peer only" is not a GUID'),
    ("main", {"peeringRole": "'owner'"}, "Compilation failed"),
    ("app", {"installation": "'Team A'"}, "installation: "),
    ("app", {"networkDefaultAction": "'Deny'"}, "networkDefaultAction: "),
    ("app", {"operatorPrincipalIds": f"['{sample('5')}']"}, "Give each id to requesterPrincipalIds"),
    ("grants", {"subscriptionIds": "[]"}, "subscriptionIds: name the subscriptions"),
    ("grants", {"subscriptionIds": "split(',', ',')"}, "subscriptionIds: name the subscriptions"),
    ("grants", {"subscriptionIds": f"['{sample('3')[:-1]}']"}, "is not a GUID"),
    ("grants", {"subscriptionIds": "['production']"}, 'subscriptionIds: "production" is not a GUID'),
    ("grants", {"installation": "'TEAM'"}, "installation: "),
    ("grants", {"aivenPrincipalId": "''"}, 'aivenPrincipalId: "" is not a GUID'),
    ("landing-zone", {"identityPrincipalId": "'id-prod'"}, 'identityPrincipalId: "id-prod" is not a GUID'),
    ("landing-zone", {"installation": "'a_b'"}, "installation: "),
    ("identity", {"environmentName": "'prod.eu'"}, "environmentName: "),
    ("identity", {"installation": "'Team A'"}, "installation: "),
]


def check(compiler, kept):
    """Returns (faults, number of inputs)."""
    faults, all_ = [], [*WRONG, _own_settings(kept["main"]), _all_at_once()]
    files = [_write(compiler, number, template, given) for number, (template, given, _) in enumerate(all_)]
    for (template, given, said), predicted in zip(all_, compiler.snapshots(files)):
        found = re.sub(r"\s+", " ", str(predicted)) if isinstance(predicted, Refused) else ""
        for one in [said] if isinstance(said, str) else said:
            if one not in found:
                faults.append(f"{template} {given}: nothing says {one!r}, only {found[:300]!r}")
    return faults, len(all_)


def _own_settings(main):
    """Every setting that the templates give, in other letters, as a further setting."""
    listed = main.one("Microsoft.Web/sites")["properties"]["siteConfig"]["appSettings"]
    names = sorted({*(one["name"] for one in listed), "AIVEN_TOKEN"})
    body = "{ " + ", ".join(f"{name.lower()}: 'x'" for name in names) + " }"
    return "main", {"extraSettings": body}, [f"extraSettings: {name.lower()} is set by a parameter" for name in names]


def _all_at_once():
    """Whoever gets three things wrong is told of three."""
    return "main", {"installation": "'A'", "alertEmails": "'x'", "zoneRedundant": "true"}, ["installation: ", "alertEmails: ", "zoneRedundant: "]


def _write(compiler, number, template, given):
    """A parameter file, and its template."""
    lines = [f"param {name} = {value}" for name, value in {**_GIVEN[template], **given}.items()]
    path = compiler.folder / "snapshots" / f"{template}-wrong-{number}.bicepparam"
    path.write_text(f"using '../{template}.bicep'\n" + "\n".join(lines) + "\n")
    return path, template
