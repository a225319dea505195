# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The client made of java-spiffe, core and provider (test/clients/java).

JAVA_SOURCE=$ROOT/test/clients/java
# shellcheck disable=SC2034  # scripts/clients.sh reads it
INPUTS=("$JAVA_SOURCE"/{pom.xml,run.sh} "$JAVA_SOURCE"/src/client/*.java)

# build_client DIR: Maven writes beside the pom, so it works on a copy.
build_client() {
  local dir=$1
  { command -v mvn && command -v javac; } > /dev/null ||
    apt_install maven openjdk-17-jdk-headless
  mkdir "$dir/build"
  cp -r "$JAVA_SOURCE"/{pom.xml,src} "$dir/build"
  mvn -q -B -DskipTests -f "$dir/build/pom.xml" package
  mv "$dir"/build/target/{client.jar,lib} "$dir"
  rm -rf "$dir/build"
  install "$JAVA_SOURCE/run.sh" "$dir/client"
}
