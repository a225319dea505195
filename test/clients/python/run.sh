#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the client with the packages beside it and no others. It forks nothing, so
# that gRPC need not be ready for it.
here=$(dirname "$(readlink -f "$0")")
PYTHONPATH=$here/lib PYTHONDONTWRITEBYTECODE=1 GRPC_ENABLE_FORK_SUPPORT=0 \
  exec /usr/bin/python3 -s "$here/client.py" "$@"
