//! The API's description of the well-known documents.

use shared::http::HttpError;
use shared::http::openapi::{Json, Operation, example};

use crate::{KeySet, Metadata};

#[must_use]
pub fn key_set() -> Operation {
    Operation {
        summary: "The public keys",
        description: "The keys with which others verify tokens, as a JWK set (RFC 7517). Except for \
            the first key, and after a leak, a key is here for 185 minutes before it signs. Unless it is revoked, it stays until the last token \
            that it signed has expired.",
        answer: Some(Json::of::<KeySet<'_>>(example!({ "keys": [{
            "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "aDbsvn3QhH3B",
            "x": "kaO4EVVREsifhZmSkAcgVByyEVIYg6QonHSj7XDcSjw"
        }] }))),
        max_body: None,
        is_cached: true,
        ..Operation::new("getKeySet")
    }
}

#[must_use]
pub fn openid_configuration() -> Operation {
    metadata("getOpenidConfiguration")
}

#[must_use]
pub fn oauth_authorization_server() -> Operation {
    metadata("getAuthorizationServer")
}

fn metadata(id: &'static str) -> Operation {
    Operation {
        summary: "Where to verify tokens",
        description: "The issuer of tokens and the place of the public keys (RFC 8414, OpenID Connect Discovery 1.0). \
            404 if there is no public key, as with HS256.",
        answer: Some(Json::of::<Metadata<'_>>(example!({
            "issuer": "https://id.example.com",
            "jwks_uri": "https://id.example.com/.well-known/jwks.json",
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "introspection_endpoint": "https://id.example.com/oauth/introspect",
            "introspection_endpoint_auth_methods_supported": ["Bearer"],
            "revocation_endpoint": "https://id.example.com/oauth/revoke",
            "revocation_endpoint_auth_methods_supported": ["none"],
        }))),
        max_body: None,
        is_cached: true,
        refuses: vec![HttpError::NotFound],
        ..Operation::new(id)
    }
}
