#!/usr/bin/env bash
# A user's other choice: PostgreSQL with a row for each code. How long the codes take to load, how many bytes each takes,
# and how many look-ups by primary key a second it answers, without HTTP in front.
#
#   loadtest/postgres.sh [FILE]
#
# FILE holds one code a line, such as the answer to GET /v1/batches/{batch}/codes?form=code. Without one 8,333,333 lines
# of the same shape are made up. Runs a server of its own in a new folder under target/loadtest, on a Unix socket alone,
# and removes it at the end. Needs the package postgresql of Debian or Ubuntu; as root it runs as the user postgres.
set -euo pipefail
cd "$(dirname "$0")/.."

CODES=8333333
SECONDS_EACH=10
ROUNDS=3
CLIENTS=16

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
[ -x "$bin/initdb" ] || { echo "loadtest/postgres.sh: please install postgresql" >&2; exit 2; }

mkdir -p target/loadtest
work=$(mktemp -d target/loadtest/postgres-XXXXXX)
work=$(realpath "$work")
as_owner() { "$@"; }
if [ "$(id -u)" = 0 ]; then
    chown postgres "$work"
    as_owner() { runuser -u postgres -- "$@"; }
fi
stop() {
    as_owner "$bin/pg_ctl" -D "$work/data" -m fast stop >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap stop EXIT

if [ -n "${1:-}" ]; then
    cp "$1" "$work/codes"
else
    # Six characters of a run, 14 that look random: the shape that an index sees.
    awk -v codes="$CODES" 'BEGIN {
        digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
        srand(1)
        for (serial = 0; serial < codes; serial++) {
            head = sprintf("00000%s", substr(digits, 1 + int(serial / 4194304), 1))
            rest = serial % 4194304
            tail = ""
            for (power = 131072; power >= 4; power /= 32) { tail = tail substr(digits, 1 + int(rest / power) % 32, 1) }
            tail = tail substr(digits, 1 + (rest % 4) * 8 + int(rand() * 8), 1)
            for (at = 0; at < 9; at++) { tail = tail substr(digits, 1 + int(rand() * 32), 1) }
            print head tail
        }
    }' > "$work/codes"
fi
chmod a+r "$work/codes"
lines=$(wc -l < "$work/codes")

as_owner "$bin/initdb" -D "$work/data" -A trust --locale=C.UTF-8 >/dev/null
# As Debian ships it, but for where it listens. shared_buffers holds the table and its index.
as_owner "$bin/pg_ctl" -D "$work/data" -l "$work/log" -w start \
    -o "-c listen_addresses='' -c unix_socket_directories='$work' -c shared_buffers=2GB -c max_wal_size=4GB" >/dev/null
sql() { as_owner "$bin/psql" -h "$work" -d postgres -Atq -c "$1"; }

sql "CREATE TABLE code (code char(20) PRIMARY KEY, batch integer NOT NULL DEFAULT 1, state smallint NOT NULL DEFAULT 0)"
started=$(date +%s.%N)
sql "COPY code (code) FROM '$work/codes'"
loaded=$(date +%s.%N)
sql "VACUUM ANALYZE code"
size=$(sql "SELECT pg_total_relation_size('code')")

echo "PostgreSQL $(sql 'SHOW server_version'), $(nproc) cores, $lines codes, one row each"
awk -v a="$started" -v b="$loaded" -v n="$lines" -v size="$size" \
    'BEGIN { printf "  load (COPY, primary key)      %.1f s, %.0f codes/s\n  table and index               %.0f bytes a code\n",
             b - a, n / (b - a), size / n }'

# Codes at random, 2,000 a script, so that no time goes into making them up.
shuf -n 2000 "$work/codes" | awk '{ printf "SELECT batch, state FROM code WHERE code = '"'%s'"';\n", $1 }' \
    > "$work/lookups.sql"
chmod a+r "$work/lookups.sql"
lookups=$(wc -l < "$work/lookups.sql")
for mode in simple prepared; do
    for _ in $(seq "$ROUNDS"); do
        as_owner "$bin/pgbench" -h "$work" -n -M "$mode" -c "$CLIENTS" -j 2 -T "$SECONDS_EACH" -f "$work/lookups.sql" postgres |
            awk -v lookups="$lookups" '/^tps/ { print $3 * lookups }'
    done | sort -n | awk -v mode="$mode" '{ rate[NR] = $1 }
        END { printf "  look-ups/s, %-8s            %.0f (%.0f to %.0f)\n", mode, rate[int((NR + 1) / 2)], rate[1], rate[NR] }'
done
