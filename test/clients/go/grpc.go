// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"net"

	"github.com/spiffe/go-spiffe/v2/spiffegrpc/grpccredentials"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
)

// The ID of a peer that is spoken to without TLS.
const plain = "plain"

func serverCredentials(ctx context.Context, id string) credentials.TransportCredentials {
	if id == plain {
		return insecure.NewCredentials()
	}
	source := newSource(ctx)
	return grpccredentials.MTLSServerCredentials(source, source, authorize(id))
}

func clientCredentials(ctx context.Context, id string) credentials.TransportCredentials {
	if id == plain {
		return insecure.NewCredentials()
	}
	source := newSource(ctx)
	return grpccredentials.MTLSClientCredentials(source, source, authorize(id))
}

func grpcListen(ctx context.Context, arguments []string) {
	server := grpc.NewServer(grpc.Creds(serverCredentials(ctx, arguments[1])))
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	listener, err := net.Listen("tcp", arguments[0])
	check(err)
	context.AfterFunc(untilInputEnds(), server.Stop)
	say("listening", fields{"address": listener.Addr().String()})
	check(server.Serve(listener))
}

func grpcDial(ctx context.Context, arguments []string) {
	conn, err := grpc.NewClient("passthrough:///"+arguments[0],
		grpc.WithTransportCredentials(clientCredentials(ctx, arguments[1])))
	check(err)
	defer conn.Close()
	answer, err := grpc_health_v1.NewHealthClient(conn).Check(ctx,
		&grpc_health_v1.HealthCheckRequest{})
	check(err)
	say("grpc", fields{"status": answer.GetStatus().String()})
}
