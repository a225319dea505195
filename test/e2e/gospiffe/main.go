// SPDX-License-Identifier: Apache-2.0

// A client of the SPIFFE Workload API, and a TLS peer, made of go-spiffe: an
// implementation that knows nothing of kith. It finds the socket by
// SPIFFE_ENDPOINT_SOCKET and prints one JSON object a line.
//
//	gospiffe watch                        X.509 SVIDs, until its input ends
//	gospiffe jwt AUDIENCE                 fetches, validates here and there
//	gospiffe validate AUDIENCE TOKEN
//	gospiffe key                          the private scalar, in hex
//	gospiffe dial ADDRESS SPIFFE_ID TEXT  spiffetls; prints what comes back
//	gospiffe listen ADDRESS SPIFFE_ID     echoes one connection
//	gospiffe follow DOMAIN URL web CA_FILE
//	gospiffe follow DOMAIN URL spiffe ENDPOINT_ID BUNDLE
//	                                      the bundle that URL serves, and its
//	                                      changes, until its input ends
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/spiffebundle"
	"github.com/spiffe/go-spiffe/v2/federation"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/spiffetls"
	"github.com/spiffe/go-spiffe/v2/spiffetls/tlsconfig"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
)

type fields map[string]any

func say(event string, facts fields) {
	facts["event"] = event
	line, err := json.Marshal(facts)
	check(err)
	fmt.Println(string(line))
}

func check(err error) {
	if err != nil {
		say("error", fields{"error": err.Error()})
		os.Exit(1)
	}
}

type watcher struct{}

func (watcher) OnX509ContextUpdate(update *workloadapi.X509Context) {
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

func (watcher) OnX509ContextWatchError(err error) {
	say("watch-error", fields{"error": err.Error()})
}

// untilInputEnds returns a context that ends with the standard input.
func untilInputEnds(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	return ctx
}

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
	return federation.WithSPIFFEAuth(bundle, spiffeid.RequireFromString(id))
}

func follow(ctx context.Context, name, url, profile string, of []string) {
	domain := spiffeid.RequireTrustDomainFromString(name)
	var option federation.FetchOption
	if profile == "web" {
		option = authenticateWeb(of[0])
	} else {
		option = authenticateSpiffe(domain, of[0], of[1])
	}
	_ = federation.WatchBundle(untilInputEnds(ctx), domain, url, follower{}, option)
}

// watch follows both kinds of SVIDs' bundles until its input ends.
func watch(ctx context.Context) {
	_ = workloadapi.WatchX509Context(untilInputEnds(ctx), watcher{})
}

// key waits for the end of its input, so that the API's stream stays open.
func key(ctx context.Context) {
	source, err := workloadapi.NewX509Source(ctx)
	check(err)
	defer source.Close()
	svid, err := source.GetX509SVID()
	check(err)
	scalar := svid.PrivateKey.(*ecdsa.PrivateKey).D
	say("key", fields{"scalar": fmt.Sprintf("%064x", scalar)})
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func jwt(ctx context.Context, audience string) {
	source, err := workloadapi.NewJWTSource(ctx)
	check(err)
	defer source.Close()
	svid, err := source.FetchJWTSVID(ctx, jwtsvid.Params{Audience: audience})
	check(err)
	_, err = jwtsvid.ParseAndValidate(svid.Marshal(), source, []string{audience})
	check(err)
	there, err := workloadapi.ValidateJWTSVID(ctx, svid.Marshal(), audience)
	check(err)
	say("jwt", fields{
		"spiffeId":  there.ID.String(),
		"token":     svid.Marshal(),
		"lifetime":  int(time.Until(svid.Expiry).Seconds()),
		"audiences": there.Audience,
	})
}

func dial(ctx context.Context, address, id, text string) {
	source, err := workloadapi.NewX509Source(ctx)
	check(err)
	defer source.Close()
	mode := spiffetls.MTLSClientWithSource(
		tlsconfig.AuthorizeID(spiffeid.RequireFromString(id)), source)
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

func listen(ctx context.Context, address, id string) {
	source, err := workloadapi.NewX509Source(ctx)
	check(err)
	defer source.Close()
	mode := spiffetls.MTLSServerWithSource(
		tlsconfig.AuthorizeID(spiffeid.RequireFromString(id)), source)
	listener, err := spiffetls.ListenWithMode(ctx, "tcp", address, mode)
	check(err)
	defer listener.Close()
	say("listening", fields{"address": listener.Addr().String()})
	conn, err := listener.Accept()
	check(err)
	defer conn.Close()
	_, err = io.Copy(conn, conn)
	check(err)
	say("done", fields{})
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	switch arguments := os.Args[2:]; os.Args[1] {
	case "watch":
		watch(ctx)
	case "key":
		key(ctx)
	case "jwt":
		jwt(ctx, arguments[0])
	case "validate":
		_, err := workloadapi.ValidateJWTSVID(ctx, arguments[1], arguments[0])
		check(err)
		say("valid", fields{})
	case "dial":
		dial(ctx, arguments[0], arguments[1], arguments[2])
	case "listen":
		listen(ctx, arguments[0], arguments[1])
	case "follow":
		follow(ctx, arguments[0], arguments[1], arguments[2], arguments[3:])
	default:
		check(fmt.Errorf("unknown command %q", os.Args[1]))
	}
}
