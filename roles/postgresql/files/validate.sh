#!/bin/sh
# Exits with 0 if the configuration of PostgreSQL $1 on disk is valid; says what is wrong otherwise.
set -eu
runuser -u postgres -- "/usr/lib/postgresql/$1/bin/postgres" -D "/etc/postgresql/$1/main" -C max_connections >/dev/null
systemctl is-active --quiet "postgresql@$1-main.service" || exit 0
# The running server reads the access files, as they are on disk now, without taking them over.
port=$(sed -n 4p "/var/lib/postgresql/$1/main/postmaster.pid")
wrong=$(runuser -u postgres -- psql -XAtq -h /var/run/postgresql -p "$port" -d postgres -c "
    SELECT file_name || ', line ' || line_number || ': ' || error FROM pg_hba_file_rules WHERE error IS NOT NULL
    UNION ALL
    SELECT file_name || ', line ' || line_number || ': ' || error FROM pg_ident_file_mappings WHERE error IS NOT NULL")
[ -z "$wrong" ] || { echo "$wrong" >&2; exit 1; }
