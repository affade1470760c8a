#!/bin/sh
# Before provisioning: the identity and what the directory must have, once. Without the right to that, what an administrator has to run.
set -eu
cd "$(dirname "$0")/../.."

if [ -n "${AIVEN_PRINCIPAL_ID:-}" ]; then
  echo "application $APPLICATION_ID and both principals are known already"
  exit 0
fi
command -v az >/dev/null || { echo 'az is missing: install the Azure CLI, then az login' >&2; exit 1; }
az account set --subscription "$AZURE_SUBSCRIPTION_ID"

if values=$(infra/identity.sh); then
  echo "$values" | while IFS='=' read -r name value; do
    azd env set "$name" "$value" </dev/null
  done
  exit 0
fi

cat >&2 <<HELP

You may not make what the directory must have. Everything else is deployed now; no peering begins before this is done:

1. An Application Administrator, logged in with az to tenant ${AZURE_TENANT_ID:-of this subscription}, runs

     IDENTITY_PRINCIPAL_ID=<object id of the app's identity> INSTALLATION=${INSTALLATION:-default} infra/identity.sh

   with the object id that this prints, once the deployment is through:

     azd env get-value IDENTITY_PRINCIPAL_ID

2. You give each line of its output to azd, and deploy again:

     azd env set NAME value
     azd up

HELP
