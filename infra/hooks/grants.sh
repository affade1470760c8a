#!/bin/sh
# After provisioning: what the app may do in the subscriptions whose VNets it peers. Without the right to that, what an owner has to run.
# PEERING_SUBSCRIPTIONS has their ids, separated by commas; without it, it is the app's own.
set -eu
export PEERING_SUBSCRIPTIONS="${PEERING_SUBSCRIPTIONS:-$AZURE_SUBSCRIPTION_ID}"
cd "$(dirname "$0")/../.."

if [ -z "${APPLICATION_PRINCIPAL_ID:-}" ] || [ -z "${AIVEN_PRINCIPAL_ID:-}" ]; then
  echo 'the principals are not known yet, so no rights were given: see what was said before provisioning, then run azd up again' >&2
  exit 0
fi

if az deployment sub create --name "aiven-peering-grants-$AZURE_ENV_NAME" --subscription "$AZURE_SUBSCRIPTION_ID" \
  --location "$AZURE_LOCATION" --parameters infra/grants.bicepparam --output none; then
  echo "the app may work in $PEERING_SUBSCRIPTIONS"
  exit 0
fi

cat >&2 <<HELP

The app has no rights on VNets yet. Whoever is Owner or User Access Administrator of $PEERING_SUBSCRIPTIONS runs, in this folder

  PEERING_SUBSCRIPTIONS=$PEERING_SUBSCRIPTIONS INSTALLATION=${INSTALLATION:-default} \\
  IDENTITY_PRINCIPAL_ID=$IDENTITY_PRINCIPAL_ID \\
  APPLICATION_PRINCIPAL_ID=$APPLICATION_PRINCIPAL_ID AIVEN_PRINCIPAL_ID=$AIVEN_PRINCIPAL_ID \\
  az deployment sub create --name aiven-peering-grants-$AZURE_ENV_NAME --subscription $AZURE_SUBSCRIPTION_ID \\
    --location $AZURE_LOCATION --parameters infra/grants.bicepparam

HELP
