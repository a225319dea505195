// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"os"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/spiffebundle"
	"github.com/spiffe/go-spiffe/v2/federation"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
)

type follower struct{}

// NextRefresh does not wait as long as the hint asks for.
func (follower) NextRefresh(time.Duration) time.Duration {
	return time.Second / 2
}

func (follower) OnUpdate(bundle *spiffebundle.Bundle) {
	sequence, _ := bundle.SequenceNumber()
	hint, _ := bundle.RefreshHint()
	say("bundle", fields{
		"x509":        len(bundle.X509Authorities()),
		"jwt":         len(bundle.JWTAuthorities()),
		"sequence":    sequence,
		"refreshHint": int(hint.Seconds()),
	})
}

func (follower) OnError(err error) {
	say("follow-error", fields{"error": err.Error()})
}

func authenticateWeb(file string) federation.FetchOption {
	pem, err := os.ReadFile(file)
	check(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	return federation.WithWebPKIRoots(roots)
}

func authenticateSpiffe(domain spiffeid.TrustDomain, id, file string) federation.FetchOption {
	bundle, err := spiffebundle.Load(domain, file)
	check(err)
	endpoint, err := spiffeid.FromString(id)
	check(err)
	return federation.WithSPIFFEAuth(bundle, endpoint)
}

func follow(_ context.Context, arguments []string) {
	domain, err := spiffeid.TrustDomainFromString(arguments[0])
	check(err)
	url, profile, of := arguments[1], arguments[2], arguments[3:]
	var option federation.FetchOption
	switch {
	case profile == "web" && len(of) == 1:
		option = authenticateWeb(of[0])
	case profile == "spiffe" && len(of) == 2:
		option = authenticateSpiffe(domain, of[0], of[1])
	default:
		check(fmt.Errorf("no profile %q of %d arguments", profile, len(of)))
	}
	_ = federation.WatchBundle(untilInputEnds(), domain, url, follower{}, option)
}
