#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The options shorten the start: such a client lives for a second, on a machine that
# other tests use too.
here=$(dirname "$(readlink -f "$0")")
exec java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx256m \
  -cp "$here/client.jar" client.Main "$@"
