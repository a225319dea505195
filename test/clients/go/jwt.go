// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"

	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
)

// jwt has the token validated here, by the bundles, and there.
func jwt(ctx context.Context, arguments []string) {
	audience := arguments[0]
	client, err := workloadapi.New(ctx)
	check(err)
	defer client.Close()
	svid, err := client.FetchJWTSVID(ctx, jwtsvid.Params{Audience: audience})
	check(err)
	bundles, err := client.FetchJWTBundles(ctx)
	check(err)
	_, err = jwtsvid.ParseAndValidate(svid.Marshal(), bundles, []string{audience})
	check(err)
	there, err := client.ValidateJWTSVID(ctx, svid.Marshal(), audience)
	check(err)
	say("jwt", fields{
		"spiffeId":  there.ID.String(),
		"token":     svid.Marshal(),
		"lifetime":  int(time.Until(svid.Expiry).Seconds()),
		"audiences": there.Audience,
	})
}

func validate(ctx context.Context, arguments []string) {
	svid, err := workloadapi.ValidateJWTSVID(ctx, arguments[1], arguments[0])
	check(err)
	say("valid", fields{"spiffeId": svid.ID.String()})
}
