#!/bin/sh
# Run the command with the password of the user admin, and import the
# currencies and the countries: the service setup of compose.yaml
set -eu
TRYTONPASSFILE=$(mktemp)
export TRYTONPASSFILE
trap 'rm -f "$TRYTONPASSFILE"' EXIT
printf '%s' "$ADMIN_PASSWORD" > "$TRYTONPASSFILE"
# No address of the administrator
echo | "$@"
trytond_import_currencies -c /etc/trytond.conf -d cooperative
trytond_import_countries -c /etc/trytond.conf -d cooperative
