// SPDX-License-Identifier: Apache-2.0

// The foreign SPIFFE client made of go-spiffe: see ../README.md. Beside those
// commands it has what other end-to-end tests need:
//
//	client key                            the private scalar, in hex
//	client follow DOMAIN URL web CA_FILE
//	client follow DOMAIN URL spiffe ENDPOINT_ID BUNDLE
//	                                      the bundle that URL serves, and its
//	                                      changes, until its input ends
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"
)

// How long a command that has one answer waits for it.
const patience = 30 * time.Second

type fields map[string]any

func say(event string, facts fields) {
	facts["event"] = event
	line, err := json.Marshal(facts)
	check(err)
	fmt.Println(string(line))
}

func fail(status int, text string) {
	say("error", fields{"error": text})
	os.Exit(status)
}

func check(err error) {
	if err != nil {
		fail(1, err.Error())
	}
}

// untilInputEnds returns a context that ends with the standard input.
func untilInputEnds() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	return ctx
}

// A command takes its arguments and, if it has one answer, a context with a
// deadline.
type command struct {
	arguments int // the least number of them
	run       func(ctx context.Context, arguments []string)
}

var commands = map[string]command{
	"fetch":       {0, fetch},
	"watch":       {0, watch},
	"bundles":     {0, bundles},
	"key":         {0, key},
	"jwt":         {1, jwt},
	"validate":    {2, validate},
	"listen":      {2, listen},
	"dial":        {3, dial},
	"grpc-listen": {2, grpcListen},
	"grpc-dial":   {2, grpcDial},
	"follow":      {4, follow},
}

func main() {
	if len(os.Args) < 2 {
		fail(1, "no command")
	}
	name, arguments := os.Args[1], os.Args[2:]
	found, known := commands[name]
	if !known {
		fail(1, fmt.Sprintf("unknown command %q", name))
	}
	if len(arguments) < found.arguments {
		fail(1, fmt.Sprintf("%s needs %d arguments", name, found.arguments))
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	found.run(ctx, arguments)
}
