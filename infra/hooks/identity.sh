#!/bin/sh
# Before provisioning: the app's identity, and what the directory must have. Each run checks all of it, so an identity that was created
# again gets a new credential. Without the permission to create what is missing, it prints what an administrator has to run.
set -eu
cd "$(dirname "$0")/../.."

infra/hooks/need_az.sh
az account set --subscription "$AZURE_SUBSCRIPTION_ID"

# The identity is looked up, not taken from an earlier deployment: azd down deletes it, and the next one has another object id.
code=0
values=$(IDENTITY_PRINCIPAL_ID='' infra/identity.sh) || code=$?
case $code in
  0)
    echo "$values" | while IFS='=' read -r name value; do
      azd env set "$name" "$value" </dev/null
    done
    ;;
  2)
    cat >&2 <<HELP
Provisioning continues, but no peering starts before this is done. Then give each line that the administrator's command
prints to azd, and deploy again:

  azd env set NAME value
  azd up

HELP
    ;;
  *) exit "$code" ;;
esac
