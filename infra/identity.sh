#!/usr/bin/env bash
# The first deployment without Bicep: what identity.bicep makes, with az alone. Run it as often as you like.
#
# It makes, where missing: the app's managed identity (unless you give its object id), our multi-tenant application with a
# federated credential for that identity, its service principal, and the service principal of Aiven's application. It needs
# az, logged in as an Application Administrator (who is also a Contributor, where it makes the identity).
#
#   AZURE_ENV_NAME=prod AZURE_LOCATION=westeurope infra/identity.sh
#   IDENTITY_PRINCIPAL_ID=<object id> infra/identity.sh        # the identity is there already
#
# Standard output has NAME=value lines only, which main.bicepparam and grants.bicepparam read from the environment:
#   set -a; eval "$(infra/identity.sh)"; set +a
set -euo pipefail

INSTALLATION=${INSTALLATION:-default}
AIVEN_APPLICATION_ID=${AIVEN_APPLICATION_ID:-55f300d4-fc50-4c5e-9222-e90a6e2187fb}
readonly APPLICATION_NAME=aiven-azure-peering-$INSTALLATION
# New directory objects are not seen everywhere at once: so often it is tried again, so many seconds apart.
readonly TRIES=${TRIES:-10} PAUSE=${PAUSE:-6}

say() { echo "$*" >&2; }

# A value of az; nothing if there is no such thing.
value() { "$@" --output tsv 2>/dev/null || true; }

# What it says of its last failure is kept for the day it never succeeds.
eventually() {
  local try said
  for try in $(seq "$TRIES"); do
    if said=$("$@" 2>"$COMPLAINT"); then
      printf '%s\n' "$said"
      return
    fi
    [[ $try == "$TRIES" ]] || sleep "$PAUSE"
  done
  cat "$COMPLAINT" >&2
  say "failed $TRIES times: $*"
  return 1
}

# The object id of the app's managed identity.
identity() {
  local group=${AZURE_RESOURCE_GROUP:-rg-${AZURE_ENV_NAME:?name the environment, or give IDENTITY_PRINCIPAL_ID}}
  local name=id-$AZURE_ENV_NAME found
  found=$(value az identity show --resource-group "$group" --name "$name" --query principalId)
  if [[ -z $found ]]; then
    say "making identity $name in $group"
    az group show --name "$group" --output none 2>/dev/null ||
      az group create --name "$group" --location "${AZURE_LOCATION:?name the region}" --tags "azd-env-name=$AZURE_ENV_NAME" --output none
    found=$(az identity create --resource-group "$group" --name "$name" --location "${AZURE_LOCATION:?name the region}" \
      --tags "azd-env-name=$AZURE_ENV_NAME" --query principalId --output tsv)
  fi
  echo "$found"
}

# The appId of our application. Its uniqueName is its key, so that it is made once however often this runs.
application() {
  local address="$GRAPH/v1.0/applications(uniqueName='$APPLICATION_NAME')"
  local body='{"displayName": "'$APPLICATION_NAME'", "signInAudience": "AzureADMultipleOrgs"}'
  az rest --method patch --url "$address" --resource "$GRAPH/" --headers 'Prefer=create-if-missing' 'Content-Type=application/json' \
    --body "$body" --output none
  eventually az rest --method get --url "$address?\$select=appId" --resource "$GRAPH/" --query appId --output tsv
}

# credential APPID SUBJECT: what is trusted is issuer and subject; the name is nobody's concern.
credential() {
  local issuer name
  issuer=$LOGIN/$(az account show --query tenantId --output tsv)/v2.0
  name=$(az ad app federated-credential list --id "$1" --query "[?subject=='$2' && issuer=='$issuer'].name | [0]" --output tsv) || return
  [[ -n $name && $name != None ]] && return
  say "letting the identity sign in as $APPLICATION_NAME"
  az ad app federated-credential create --id "$1" --output none --parameters \
    '{"name": "'"$APPLICATION_NAME"'", "issuer": "'"$issuer"'", "subject": "'"$2"'", "audiences": ["api://AzureADTokenExchange"]}'
}

# principal APPID: the object id of an application's service principal in this tenant.
principal() {
  az ad sp show --id "$1" --query id --output tsv 2>/dev/null || az ad sp create --id "$1" --query id --output tsv
}

[[ $INSTALLATION =~ ^[a-z0-9-]{1,32}$ ]] || { say 'INSTALLATION is 1 to 32 lower-case letters, digits and hyphens'; exit 1; }
command -v az >/dev/null || { say 'az is missing: install the Azure CLI, then az login'; exit 1; }
az account show --output none || { say 'run: az login'; exit 1; }
GRAPH=$(az cloud show --query endpoints.microsoftGraphResourceId --output tsv)
LOGIN=$(az cloud show --query endpoints.activeDirectory --output tsv)
COMPLAINT=$(mktemp)
readonly GRAPH=${GRAPH%/} LOGIN=${LOGIN%/} COMPLAINT
trap 'rm -f "$COMPLAINT"' EXIT

identity_principal=${IDENTITY_PRINCIPAL_ID:-$(identity)}
application_id=$(application)
# Each looks again before it makes something again.
eventually credential "$application_id" "$identity_principal" >&2
application_principal=$(eventually principal "$application_id")
aiven_principal=$(eventually principal "$AIVEN_APPLICATION_ID")

cat <<VALUES
IDENTITY_PRINCIPAL_ID=$identity_principal
APPLICATION_ID=$application_id
APPLICATION_PRINCIPAL_ID=$application_principal
AIVEN_PRINCIPAL_ID=$aiven_principal
VALUES
