#!/usr/bin/env bash
# The first deployment without Bicep: creates with az alone what identity.bicep creates. Running it again changes nothing.
#
# It creates, where missing: the app's managed identity (unless you give its object id), our multi-tenant application with a
# federated credential for that identity, its service principal, and the service principal of Aiven's application. It needs
# az 2.60.0 or later, logged in as an Application Administrator (and Contributor, where it creates the identity). Where everything
# exists already, it only reads, which any member of the tenant may do.
#
#   AZURE_ENV_NAME=prod AZURE_LOCATION=westeurope infra/identity.sh
#   IDENTITY_PRINCIPAL_ID=<object id> infra/identity.sh        # the identity exists already
#   AZURE_ENV_NAME=prod infra/identity.sh check                # creates nothing: names what is missing, with the command that creates it
#
# If a deployment of identity.bicep stops at the federated credential, deploy it again. If it stops there again, run this script: it
# finds what the deployment created, and adds the credential.
#
# Standard output has NAME=value lines only, which main.bicepparam and grants.bicepparam read from the environment:
#   ids=$(infra/identity.sh) && export $(echo "$ids")
set -euo pipefail

INSTALLATION=${INSTALLATION:-default}
AIVEN_APPLICATION_ID=${AIVEN_APPLICATION_ID:-55f300d4-fc50-4c5e-9222-e90a6e2187fb}
readonly APPLICATION_NAME=aiven-azure-peering-$INSTALLATION
readonly AUDIENCE=api://AzureADTokenExchange
# New directory objects take a while to replicate: the number of tries, and the seconds between them.
readonly TRIES=${TRIES:-10} PAUSE=${PAUSE:-6}
readonly MODE=${1:-create}
# What no later try changes.
readonly DENIED='Authorization_RequestDenied|Insufficient privileges|AuthorizationFailed|does not have authorization'

# Messages go past `2>`, so that a captured command still shows its progress.
exec 3>&2
say() { echo "$*" >&3; }
fail() { say "$*"; exit 1; }

# A command as it can be pasted.
quoted() {
  local word text=
  for word in "$@"; do
    case $word in
      *\'*) word="\"$word\"" ;;
      *[!A-Za-z0-9_./:=@-]*) word="'$word'" ;;
    esac
    text+="$word "
  done
  echo "${text% }"
}

# look COMMAND...: what it prints; nothing if the thing does not exist. Any other failure is a failure. Bash ignores `set -e` in
# functions whose result is tested, so every command here that may fail says `|| return`.
look() {
  local said code=0
  said=$("$@" 2>"$COMPLAINT") || code=$?
  # az exits with 3 where what it was to show does not exist; az rest has only its text.
  if [[ $code == 0 ]]; then
    [[ $said == None ]] || echo "$said"
  elif [[ $code != 3 ]] && ! grep -q ResourceNotFound "$COMPLAINT"; then
    cat "$COMPLAINT" >&2
    return 1
  fi
}

# make WHAT COMMAND...: creates it. A check only names it, and so does a failure: with the command, for whoever has the permission.
make() {
  local what=$1
  shift
  if [[ $MODE == check ]]; then
    say "missing: $what. This command creates it: $(quoted "$@")"
    return 1
  fi
  say "creating $what"
  "$@" 2>"$COMPLAINT" && return
  cat "$COMPLAINT" >&2
  echo "This command failed: $(quoted "$@")" >&2
  return 1
}

# eventually COMMAND...: tries again while the directory replicates. The last failure is shown.
eventually() {
  local try said
  for try in $(seq "$TRIES"); do
    if said=$("$@" 2>"$REASON"); then
      [[ -z $said ]] || echo "$said"
      return 0
    fi
    if [[ $MODE == check || $try == "$TRIES" ]] || grep -qE "$DENIED" "$REASON"; then break; fi
    sleep "$PAUSE"
  done
  cat "$REASON" >&3
  [[ $MODE == check ]] || say "gave up after $try of $TRIES tries"
  return 1
}

# The object id of the app's managed identity.
identity() {
  [[ ${AZURE_ENV_NAME:-} =~ ^[A-Za-z0-9-]{1,40}$ ]] ||
    fail 'set AZURE_ENV_NAME (1 to 40 letters, digits and hyphens), or IDENTITY_PRINCIPAL_ID if the identity exists'
  local group=${AZURE_RESOURCE_GROUP:-rg-$AZURE_ENV_NAME}
  local name=id-$AZURE_ENV_NAME tag=azd-env-name=$AZURE_ENV_NAME found id
  found=$(look az identity show --resource-group "$group" --name "$name" --query principalId --output tsv) || return
  if [[ -z $found ]]; then
    [[ $MODE == check || -n ${AZURE_LOCATION:-} ]] || fail 'set AZURE_LOCATION to the region of the app'
    id=$(look az group show --name "$group" --query id --output tsv) || return
    [[ -n $id ]] || make "resource group $group" az group create --name "$group" --location "${AZURE_LOCATION:-REGION}" --tags "$tag" --output none || return
    found=$(make "identity $name in $group" az identity create --resource-group "$group" --name "$name" --location "${AZURE_LOCATION:-REGION}" \
      --tags "$tag" --query principalId --output tsv) || return
  fi
  echo "$found"
}

# The appId of our application. Its uniqueName is its key, so there is only one, however often this runs.
application() {
  local address="$GRAPH/v1.0/applications(uniqueName='$APPLICATION_NAME')" found
  found=$(look az rest --method get --url "$address?\$select=appId,signInAudience" --resource "$GRAPH/" \
    --query "join(' ', [appId, signInAudience])" --output tsv) || return
  if [[ $found != *' AzureADMultipleOrgs' ]]; then
    make "application $APPLICATION_NAME" az rest --method patch --url "$address" --resource "$GRAPH/" \
      --headers Prefer=create-if-missing Content-Type=application/json \
      --body "{\"displayName\": \"$APPLICATION_NAME\", \"signInAudience\": \"AzureADMultipleOrgs\"}" --output none || return
    found=$(eventually az rest --method get --url "$address?\$select=appId" --resource "$GRAPH/" --query appId --output tsv) || return
  fi
  echo "${found%% *}"
}

# credential APPID SUBJECT: the identity may sign in as the application. The subject is part of the name: an identity that was
# created again, or that of a second environment, gets a credential of its own beside the old one.
credential() {
  local issuer=$LOGIN/$tenant/v2.0 name=$APPLICATION_NAME-$2 found parameters
  parameters="{\"name\": \"$name\", \"issuer\": \"$issuer\", \"subject\": \"$2\", \"audiences\": [\"$AUDIENCE\"]}"
  found=$(look az ad app federated-credential list --id "$1" --output tsv \
    --query "[?subject=='$2' && issuer=='$issuer' && contains(audiences, '$AUDIENCE')].name | [0]") || return
  [[ -z $found ]] || return 0
  found=$(look az ad app federated-credential list --id "$1" --query "[?name=='$name'].id | [0]" --output tsv) || return
  if [[ -z $found ]]; then
    make "the federated credential of identity $2" \
      az ad app federated-credential create --id "$1" --parameters "$parameters" --output none
  else
    make "the federated credential of identity $2 again, in place" \
      az ad app federated-credential update --id "$1" --federated-credential-id "$found" --parameters "$parameters" --output none
  fi
}

# principal APPID: the object id of an application's service principal in this tenant.
principal() {
  local found
  found=$(look az ad sp show --id "$1" --query id --output tsv) || return
  [[ -n $found ]] || found=$(make "the service principal of application $1" az ad sp create --id "$1" --query id --output tsv) || return
  echo "$found"
}

# What somebody with the permissions runs to do the rest. Exit code 2: everything but the directory is as it should be.
denied() {
  [[ $MODE == create ]] && grep -qE "$DENIED" "$COMPLAINT" "$REASON" 2>/dev/null || exit 1
  say "
An Application Administrator who is logged in with az to tenant $tenant can finish this, in this folder:

  IDENTITY_PRINCIPAL_ID=$identity_principal INSTALLATION=$INSTALLATION infra/identity.sh
"
  exit 2
}

[[ $MODE == create || $MODE == check ]] || fail "usage: infra/identity.sh [check]"
[[ $INSTALLATION =~ ^[a-z0-9-]{1,32}$ ]] || fail 'INSTALLATION must be 1 to 32 lower-case letters, digits and hyphens'
"$(dirname "$0")/hooks/need_az.sh" || exit
tenant=$(az account show --query tenantId --output tsv) || fail 'az is not logged in. Run: az login'
GRAPH=$(az cloud show --query endpoints.microsoftGraphResourceId --output tsv)
LOGIN=$(az cloud show --query endpoints.activeDirectory --output tsv)
COMPLAINT=$(mktemp)
readonly GRAPH=${GRAPH%/} LOGIN=${LOGIN%/} COMPLAINT REASON=$COMPLAINT.last
trap 'rm -f "$COMPLAINT" "$REASON"' EXIT

identity_principal=${IDENTITY_PRINCIPAL_ID:-}
[[ -n $identity_principal ]] || identity_principal=$(identity) || exit
application_id=$(application) || denied
eventually credential "$application_id" "$identity_principal" || denied
application_principal=$(eventually principal "$application_id") || denied
aiven_principal=$(eventually principal "$AIVEN_APPLICATION_ID") || denied

cat <<VALUES
IDENTITY_PRINCIPAL_ID=$identity_principal
APPLICATION_ID=$application_id
APPLICATION_PRINCIPAL_ID=$application_principal
AIVEN_PRINCIPAL_ID=$aiven_principal
VALUES
