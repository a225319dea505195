#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Shows what kith does, with nginx and curl as Debian ships them: two network
# namespaces joined by a cable, a cgroup, and one agent that looks after it.
# Nothing outside of these is touched, and all of it is removed at the end, also
# after Ctrl-C. Needs root.
set -euo pipefail

SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(dirname "$SCRIPTS")
for part in log apt services; do
  # shellcheck disable=SC1090  # each is checked by itself
  . "$SCRIPTS/lib/$part.sh"
done

readonly PACKAGES=(curl nginx-light iproute2 util-linux tcpdump)
readonly KITH=$ROOT/build/kith
readonly WEST=kith-quickstart-west EAST=kith-quickstart-east
readonly SERVER=10.87.0.2
readonly URL=http://$SERVER:8080/
readonly SECRET='a-secret-that-nobody-else-may-read'

WORK=''
CGROUP=''

title() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
note() { printf '   %s\n' "$*"; }

# show COMMAND... : prints the command as a person would type it, and runs it.
show() {
  local where='' typed=("$@")
  if [[ $1 == inside ]]; then
    where="[$2] "
    typed=("${@:4}")
  fi
  printf '\033[36m%s$ %s\033[0m\n' "$where" "${typed[*]/#$KITH/kith}"
  "$@" || true
}

clean_up() {
  set +e
  trap - EXIT INT TERM
  if [[ -n $CGROUP ]]; then
    echo 1 > "$CGROUP/cgroup.kill"
    wait 2> /dev/null
    # Processes that are not our children end in their own time.
    while grep -q 'populated 1' "$CGROUP/cgroup.events"; do sleep 0.1; done
    rmdir "$CGROUP"/*/ "$CGROUP"
  fi
  ip netns del "$WEST" 2> /dev/null
  ip netns del "$EAST" 2> /dev/null
  [[ -z $WORK ]] || rm -rf "$WORK"
}

# enter NETNS GROUP COMMAND... : becomes the command, in the namespace and the
# child cgroup. The namespace comes first, so that the agent never meets a
# process of its cgroup in the machine's own namespace.
enter() {
  local netns=$1 group=$2
  shift 2
  # shellcheck disable=SC2016  # the inner shell expands these
  exec nsenter --net="/run/netns/$netns" \
    sh -c 'echo 0 > "$0/cgroup.procs" && exec "$@"' "$CGROUP/$group" "$@"
}

inside() { (enter "$@"); }

await() {
  local what=$1 _
  shift
  for _ in {1..100}; do
    ! "$@" > /dev/null 2>&1 || return 0
    sleep 0.1
  done
  cat "$WORK"/*.log >&2
  die "$what: not within ten seconds"
}

make_network() {
  local mount
  ip netns add "$WEST"
  ip netns add "$EAST"
  ip link add eth0 netns "$WEST" type veth peer name eth0 netns "$EAST"
  ip -n "$WEST" address add 10.87.0.1/24 dev eth0
  ip -n "$EAST" address add "$SERVER/24" dev eth0
  local netns
  for netns in "$WEST" "$EAST"; do
    ip -n "$netns" link set lo up
    ip -n "$netns" link set eth0 up
  done
  mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
  [[ -n $mount ]] || die 'cgroup v2 is not mounted'
  CGROUP=$mount/kith-quickstart-$$
  mkdir "$CGROUP" "$CGROUP/workloads" "$CGROUP/outside"
}

start_nginx() {
  mkdir "$WORK/www"
  echo "$SECRET" > "$WORK/www/index.html"
  chmod 755 "$WORK" "$WORK/www"
  cat > "$WORK/nginx.conf" <<END
daemon off;
pid $WORK/nginx.pid;
events {}
http {
  access_log off;
  server { listen $SERVER:8080; root $WORK/www; }
}
END
  enter "$EAST" workloads nginx -e stderr -c "$WORK/nginx.conf" \
    > "$WORK/nginx.log" 2>&1 &
  await 'nginx' inside "$EAST" outside curl -sS "$URL"
}

write_documents() {
  mkdir "$WORK/resources.d"
  cat > "$WORK/kith.yaml" <<END
trustDomain: example.org
cgroup: $CGROUP/workloads
stateDir: $WORK/state
runtimeDir: $WORK/run
resources: [$WORK/resources.d]
END
  cat > "$WORK/resources.d/demo.yaml" <<'END'
apiVersion: kith.dev/v1alpha1
kind: WorkloadIdentity
metadata: {name: web}
spec:
  workloadID: demo/web
  selectors:
    - process:binary:path: /usr/sbin/nginx
  connection: {tls: {mode: MUTUAL}}
  allowedSPIFFEIDs:
    inbound: [spiffe://example.org/demo/client]
---
apiVersion: kith.dev/v1alpha1
kind: WorkloadIdentity
metadata: {name: client}
spec:
  workloadID: demo/client
  selectors:
    - process:name: curl
  connection: {tls: {mode: MUTUAL}}
END
}

start_agent() {
  enter "$EAST" outside "$KITH" agent --config "$WORK/kith.yaml" \
    > "$WORK/agent.log" 2>&1 &
  export KITH_SOCKET=$WORK/run/admin.sock
  await 'kith agent' "$KITH" status
}

connection_ended() {
  [[ $(tcpdump -nn -r "$1" 'tcp[tcpflags] & tcp-fin != 0' 2> /dev/null |
    wc -l) -ge 2 ]]
}

# on_the_wire COMMAND... : runs it while a sniffer listens between the two, and
# shows what the sniffer got to see.
on_the_wire() {
  local sniffer packets=$WORK/packets
  enter "$WEST" outside tcpdump --immediate-mode -U -i eth0 -w "$packets" \
    tcp 2> "$WORK/tcpdump.log" &
  sniffer=$!
  await 'tcpdump' grep -q 'listening on' "$WORK/tcpdump.log"
  show "$@"
  # The end of the connection is in the file, so everything before it is.
  await 'the end of the capture' connection_ended "$packets"
  kill "$sniffer"
  wait "$sniffer" || true
  note 'The first bytes of each direction on the wire:'
  tcpdump -nn -X -r "$packets" 'greater 100' 2> /dev/null |
    awk '/IP / { n++; m = 0 } n <= 2 && (/IP / || (m++ >= 3 && m <= 7))' |
    cut -c1-78
  if tcpdump -A -r "$packets" 2> /dev/null | grep -q "$SECRET"; then
    note "The sniffer has read: $SECRET"
  else
    note 'The secret is nowhere in the capture.'
  fi
}

main() {
  [[ $(id -u) -eq 0 ]] || die 'it makes network namespaces: run it as root'
  title 'Building build/kith (the first time takes some minutes)'
  apt_install_without_services "${PACKAGES[@]}"
  "$SCRIPTS/build.sh"

  trap clean_up EXIT
  trap 'exit 130' INT TERM
  WORK=$(mktemp -d)
  make_network
  start_nginx

  title 'Without kith: curl asks nginx, and a sniffer reads along'
  note "nginx runs in namespace $EAST ($SERVER), curl in $WEST."
  on_the_wire inside "$WEST" workloads curl -sS "$URL"

  title 'Two documents say who is who'
  write_documents
  show cat "$WORK/resources.d/demo.yaml"

  title 'The agent starts; nginx keeps running, unchanged'
  start_agent
  show "$KITH" identities

  title 'The same request again: nothing in curl or nginx is configured'
  note 'Payloads now begin with a TLS record header: 16 03 01 and 16 03 03 are'
  note 'the handshake, 17 03 03 is encrypted.'
  on_the_wire inside "$WEST" workloads curl -sS "$URL"
  note 'Both ends of the flow, each with its own SPIFFE identity:'
  show "$KITH" flows --closed

  title 'Why is this process who it is?'
  show "$KITH" explain "$(cat "$WORK/nginx.pid")"

  title 'A process without the right identity is refused'
  note 'The same curl, but as a process outside of the cgroup: a stranger.'
  show inside "$WEST" outside curl -sS "$URL"
  note 'And why, as the operator sees it:'
  show "$KITH" flows --closed

  title 'Done: everything is removed again'
}

main "$@"
