#!/bin/sh
# Stops, and says what to do, where the Azure CLI is missing or too old.
set -eu
# The first with Flex Consumption. azure.yaml has the least version of azd, which azd checks itself.
least=2.60.0

if ! command -v az >/dev/null; then
  echo "the Azure CLI (az) is missing. Install $least or later: https://aka.ms/installazurecli" >&2
  exit 1
fi
found=$(az version --query '"azure-cli"' --output tsv)
if [ "$(printf '%s\n' "$least" "$found" | sort -t . -k 1,1n -k 2,2n -k 3,3n | head -n 1)" != "$least" ]; then
  echo "the Azure CLI (az) is $found, and $least or later is needed. Run: az upgrade" >&2
  exit 1
fi
