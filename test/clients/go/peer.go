// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/spiffetls"
	"github.com/spiffe/go-spiffe/v2/spiffetls/tlsconfig"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
)

func authorize(id string) tlsconfig.Authorizer {
	parsed, err := spiffeid.FromString(id)
	check(err)
	return tlsconfig.AuthorizeID(parsed)
}

func newSource(ctx context.Context) *workloadapi.X509Source {
	source, err := workloadapi.NewX509Source(ctx)
	check(err)
	return source
}

func dial(ctx context.Context, arguments []string) {
	address, id, text := arguments[0], arguments[1], arguments[2]
	source := newSource(ctx)
	defer source.Close()
	mode := spiffetls.MTLSClientWithSource(authorize(id), source)
	conn, err := spiffetls.DialWithMode(ctx, "tcp", address, mode)
	check(err)
	defer conn.Close()
	_, err = conn.Write([]byte(text))
	check(err)
	back := make([]byte, len(text))
	_, err = io.ReadFull(conn, back)
	check(err)
	say("echo", fields{"text": string(back)})
}

// echo ends one connection, whatever becomes of it; others go on.
func echo(conn net.Conn) {
	defer conn.Close()
	if _, err := io.Copy(conn, conn); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

func listen(ctx context.Context, arguments []string) {
	source := newSource(ctx)
	defer source.Close()
	mode := spiffetls.MTLSServerWithSource(authorize(arguments[1]), source)
	listener, err := spiffetls.ListenWithMode(ctx, "tcp", arguments[0], mode)
	check(err)
	ending := untilInputEnds()
	context.AfterFunc(ending, func() { _ = listener.Close() })
	say("listening", fields{"address": listener.Addr().String()})
	for {
		conn, err := listener.Accept()
		if ending.Err() != nil {
			return
		}
		check(err)
		go echo(conn)
	}
}
