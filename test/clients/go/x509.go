// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/ecdsa"
	"encoding/hex"
	"fmt"
	"io"
	"os"

	"github.com/spiffe/go-spiffe/v2/workloadapi"
)

func sayX509(update *workloadapi.X509Context) {
	svid := update.DefaultSVID()
	roots, err := update.Bundles.GetX509BundleForTrustDomain(svid.ID.TrustDomain())
	check(err)
	say("x509", fields{
		"spiffeId": svid.ID.String(),
		"serial":   fmt.Sprintf("%x", svid.Certificates[0].SerialNumber),
		"svids":    len(update.SVIDs),
		"roots":    len(roots.X509Authorities()),
	})
}

func fetch(ctx context.Context, _ []string) {
	update, err := workloadapi.FetchX509Context(ctx)
	check(err)
	sayX509(update)
}

type watcher struct{}

func (watcher) OnX509ContextUpdate(update *workloadapi.X509Context) {
	sayX509(update)
}

func (watcher) OnX509ContextWatchError(err error) {
	say("watch-error", fields{"error": err.Error()})
}

func watch(context.Context, []string) {
	ctx := untilInputEnds()
	if err := workloadapi.WatchX509Context(ctx, watcher{}); ctx.Err() == nil {
		check(err)
	}
}

func bundles(ctx context.Context, _ []string) {
	x509, err := workloadapi.FetchX509Bundles(ctx)
	check(err)
	jwt, err := workloadapi.FetchJWTBundles(ctx)
	check(err)
	x509Counts, jwtCounts := map[string]int{}, map[string]int{}
	for _, bundle := range x509.Bundles() {
		x509Counts[bundle.TrustDomain().Name()] = len(bundle.X509Authorities())
	}
	for _, bundle := range jwt.Bundles() {
		jwtCounts[bundle.TrustDomain().Name()] = len(bundle.JWTAuthorities())
	}
	say("bundles", fields{"x509": x509Counts, "jwt": jwtCounts})
}

// key waits for the end of its input, so that the API's stream stays open.
func key(ctx context.Context, _ []string) {
	source, err := workloadapi.NewX509Source(ctx)
	check(err)
	defer source.Close()
	svid, err := source.GetX509SVID()
	check(err)
	private, is := svid.PrivateKey.(*ecdsa.PrivateKey)
	if !is {
		fail(1, fmt.Sprintf("the key is a %T", svid.PrivateKey))
	}
	scalar, err := private.Bytes()
	check(err)
	say("key", fields{"scalar": hex.EncodeToString(scalar)})
	_, _ = io.Copy(io.Discard, os.Stdin)
}
