# SPDX-License-Identifier: Apache-2.0
"""JWT-SVIDs, by the package spiffe."""

from spiffe import JwtSvid

from identity import api
from lines import say


def jwt(audience):
    with api() as client:
        svid = client.fetch_jwt_svid({audience})
        bundle = client.fetch_jwt_bundles().get_bundle_for_trust_domain(
            svid.spiffe_id.trust_domain)
        valid = JwtSvid.parse_and_validate(svid.token, bundle, {audience})
        say("jwt", spiffeId=str(valid.spiffe_id), token=valid.token)


def validate(audience, token):
    with api() as client:
        svid = client.validate_jwt_svid(token, audience)
        say("valid", spiffeId=str(svid.spiffe_id))
