#!/bin/sh
# After provisioning: what the app may do in the subscriptions whose VNets it peers. Without the permission to deploy that, it prints
# what an owner has to run. PEERING_SUBSCRIPTIONS has the subscriptions' ids, separated by commas; without it, it is the app's own.
set -eu
export PEERING_SUBSCRIPTIONS="${PEERING_SUBSCRIPTIONS:-$AZURE_SUBSCRIPTION_ID}"
cd "$(dirname "$0")/../.."

infra/hooks/need_az.sh
if [ -z "${APPLICATION_PRINCIPAL_ID:-}" ] || [ -z "${AIVEN_PRINCIPAL_ID:-}" ]; then
  echo 'infra/grants.bicep was not deployed, because the service principals are not known yet. See what was printed before provisioning.' >&2
  exit 0
fi

complaint=$(mktemp)
trap 'rm -f "$complaint"' EXIT
code=0
az deployment sub create --name "aiven-peering-grants-$AZURE_ENV_NAME" --subscription "$AZURE_SUBSCRIPTION_ID" \
  --location "$AZURE_LOCATION" --parameters infra/grants.bicepparam --output none 2>"$complaint" || code=$?
cat "$complaint" >&2
if [ "$code" = 0 ]; then
  echo "the app may work in $PEERING_SUBSCRIPTIONS"
  exit 0
fi
grep -qi authoriz "$complaint" || exit "$code"

cat >&2 <<HELP

The app has no permissions on VNets yet. Somebody who is Owner of $PEERING_SUBSCRIPTIONS runs, in this folder:

  PEERING_SUBSCRIPTIONS=$PEERING_SUBSCRIPTIONS INSTALLATION=${INSTALLATION:-default} \\
  IDENTITY_PRINCIPAL_ID=$IDENTITY_PRINCIPAL_ID \\
  APPLICATION_PRINCIPAL_ID=$APPLICATION_PRINCIPAL_ID AIVEN_PRINCIPAL_ID=$AIVEN_PRINCIPAL_ID \\
  az deployment sub create --name aiven-peering-grants-$AZURE_ENV_NAME --subscription $AZURE_SUBSCRIPTION_ID \\
    --location $AZURE_LOCATION --parameters infra/grants.bicepparam

HELP
