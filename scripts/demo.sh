#!/usr/bin/env bash
# A match in under six minutes, on this machine alone: the laptop shape with a
# store of its own, and vigie replay sending it the requests of
# scripts/demo/match.yaml as they would come. Everything stays on loopback; what
# it wrote is under build/demo. Ctrl-C ends it early and as cleanly.
#
#   VIGIE          the binary (bin/vigie)
#   DEMO_DIR       where its state goes (build/demo; made anew)
#   DEMO_SEED      another site and other attackers (1)
#   DEMO_STAY      1: the room stays open at the end, until Ctrl-C
#   DEMO_CHECK     1: at the end the report is made, and the run is held to what it
#                  promised, by its labels (needs Go); fails where it was not kept
#   VIGIE_*        as for the laptop shape, e.g. VIGIE_PAGE_ENDPOINT
set -euo pipefail
cd "$(dirname "$0")/.."

vigie=${VIGIE:-bin/vigie}
dir=${DEMO_DIR:-build/demo}
page=${VIGIE_PAGE_ENDPOINT:-127.0.0.1:8640}
otlp=${VIGIE_OTLP_GRPC_ENDPOINT:-127.0.0.1:4317}
scenario=scripts/demo/match.yaml

[ -x "$vigie" ] || { echo "demo: there is no $vigie; run make build" >&2; exit 1; }
answers() { (exec 3<>"/dev/tcp/${1%:*}/${1##*:}") 2>/dev/null; }
for address in "$page" "$otlp"; do
  if answers "$address"; then
    echo "demo: something listens on $address already, perhaps another Vigie; stop it, or set VIGIE_PAGE_ENDPOINT, VIGIE_OTLP_GRPC_ENDPOINT, VIGIE_OTLP_HTTP_ENDPOINT and VIGIE_HEALTH_ENDPOINT" >&2
    exit 1
  fi
done
# Only what an earlier demo made is removed.
if [ -e "$dir" ] && [ ! -e "$dir/.vigie-demo" ]; then
  echo "demo: $dir is there and no demo made it; name another with DEMO_DIR" >&2
  exit 1
fi
rm -rf "$dir"
mkdir -p "$dir"
touch "$dir/.vigie-demo"
calendar=$dir/calendar.yaml
: > "$calendar" # the room looks for changes each ten seconds

server='' traffic=''
finish() {
  trap - EXIT INT TERM
  [ -z "$traffic" ] || kill "$traffic" 2>/dev/null || true
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  if [ -n "${began:-}" ]; then
    cat <<EOF

  The room is closed. What just happened, as one page that needs no server:

    $vigie report --data-dir $dir/data --from $(at 0) --to $(at "${ended:-$SECONDS}") --out $dir/event.html

  The truth about each attack and crowd is in $dir/truth.csv.truth.json.
EOF
  fi
}
# held makes the report of what has run and asks whether the promises were kept.
held() {
  "$vigie" report --data-dir "$dir/data" --from "$(at 0)" --to "$(at "$ended")" --out "$dir/event.html" >/dev/null
  case $dir in /*) ran=$dir ;; *) ran=$PWD/$dir ;; esac
  VIGIE_DEMO_RAN=$ran go test -count=1 -v -run ThatRan ./scripts/demo | grep -E 'after [0-9.]+ s|^(---|ok|FAIL)' | sed 's/^ */  /'
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

VIGIE_DATA_DIR=$dir/data VIGIE_CALENDAR=$calendar VIGIE_LOG_LEVEL=${VIGIE_LOG_LEVEL:-warn} "$vigie" >"$dir/vigie.log" 2>&1 &
server=$!
for n in $(seq 601); do
  kill -0 "$server" 2>/dev/null || { echo "demo: Vigie did not start:" >&2; tail -20 "$dir/vigie.log" >&2; server=''; exit 1; }
  if answers "$page" && answers "$otlp"; then break; fi
  [ "$n" -le 600 ] || { echo "demo: a minute after its start Vigie does not answer on $page and $otlp; see $dir/vigie.log" >&2; exit 1; }
  sleep 0.1
done

SECONDS=0
began=$(date +%s)
# at N is the time N seconds after the beginning, in RFC 3339.
at() { date -u -d "@$((began + $1))" +%Y-%m-%dT%H:%M:%SZ; }
# The event calendar of this very evening. It expects a modest crowd, so that the
# room has something to say; it widens what is expected of the rate, nothing else.
cat >"$calendar" <<EOF
events:
  - name: Demo match
    kick_off: $(at 60)
    half_time: $(at 170)
    second_half: $(at 190)
    full_time: $(at 335)
    factor: 1.5
    push_notifications:
      - {at: $(at 265), name: line-ups, factor: 1.2}
EOF

cat <<EOF

  A match in under six minutes. Look at:

    the war room     http://$page/
    on a wall        http://$page/?tv=1
    Prometheus API   http://$page/api/v1

  1:00 kick-off   2:10 first attack   3:45 a goal   4:25 a push notification
  4:45 second attack   5:35 full time   5:45 the end

EOF
"$vigie" replay --scenario "$scenario" --seed "${DEMO_SEED:-1}" --speed 1 --otlp "$otlp" --labels "$dir/truth.csv" --quiet &
traffic=$!
for moment in "0 the studio: quiet, and the detector learns what is usual" "60 kick-off: expect CROWD within half a minute, and no attack" \
  "130 first attack, a flood: expect ATTACK or MIXED within 5 s" "155 the flood is over; the verdict waits a minute before it says so" \
  "225 a goal" "265 a push notification" "285 second attack, stolen passwords: expect ATTACK or MIXED within 5 s" "330 the attack is over"; do
  while [ "$SECONDS" -lt "${moment%% *}" ]; do
    kill -0 "$traffic" 2>/dev/null || break 2
    sleep 0.5
  done
  printf '  %d:%02d  %s\n' $((SECONDS / 60)) $((SECONDS % 60)) "${moment#* }"
done
wait "$traffic" || echo "demo: the replay ended with an error" >&2
traffic=''
if [ "${DEMO_STAY:-}" = 1 ]; then
  echo "  The room stays open; Ctrl-C closes it."
  wait "$server" || true
  server=''
else
  sleep 3 # the last seconds reach the store
fi
ended=$SECONDS
if [ "${DEMO_CHECK:-}" = 1 ]; then
  kill "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  server=''
  held
fi
