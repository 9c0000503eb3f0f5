//! Signatures of webhooks by [Standard Webhooks](https://www.standardwebhooks.com), version 1.

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::domain::Timestamp;

/// The keys that sign webhooks. There are two while a secret is rotated.
pub struct WebhookKey(Vec<hmac::Key>);

const PREFIX: &str = "whsec_";

/// Standard Webhooks asks for 24 to 64 bytes.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be whsec_ and 24 to 64 bytes in base64; a second one may follow after a space")]
pub struct InvalidWebhookKey;

impl WebhookKey {
    /// The prefix `whsec_` may be missing, as in the libraries of Standard Webhooks.
    pub fn parse(text: &str) -> Result<Self, InvalidWebhookKey> {
        let keys: Vec<_> = text
            .split_ascii_whitespace()
            .map(|secret| {
                let key = STANDARD.decode(secret.strip_prefix(PREFIX).unwrap_or(secret));
                let key = key.ok().filter(|key| KEY_BYTES.contains(&key.len()));
                let key = key.ok_or(InvalidWebhookKey)?;
                Ok(hmac::Key::new(hmac::HMAC_SHA256, &key))
            })
            .collect::<Result<_, _>>()?;
        match keys.len() {
            1 | 2 => Ok(Self(keys)),
            _ => Err(InvalidWebhookKey),
        }
    }

    /// The value of `webhook-signature`: a signature by each secret.
    #[must_use]
    pub fn sign(&self, id: &str, at: Timestamp, body: &str) -> String {
        let content = format!("{id}.{}.{body}", at.secs());
        let signatures = self.0.iter().map(|key| {
            let signature = hmac::sign(key, content.as_bytes());
            format!("v1,{}", STANDARD.encode(signature))
        });
        signatures.collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Debug for WebhookKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test vector of the libraries of Standard Webhooks.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &str = r#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn signature(secret: &str) -> String {
        let at = Timestamp::from_secs(1_614_265_330);
        WebhookKey::parse(secret).unwrap().sign(ID, at, BODY)
    }

    #[test]
    fn the_published_vector_has_the_published_signature() {
        assert_eq!(signature(SECRET), SIGNATURE);
        assert_eq!(signature(&SECRET[PREFIX.len()..]), SIGNATURE);
    }

    #[test]
    fn two_secrets_make_two_signatures() {
        let other = format!("{PREFIX}{}", STANDARD.encode([7; 32]));

        let both = signature(&format!("{other} {SECRET}\n"));

        assert_eq!(both, format!("{} {SIGNATURE}", signature(&other)));
    }

    #[test]
    fn a_secret_that_is_short_long_or_not_base64_is_refused() {
        for secret in [
            "",
            "whsec_",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
            "whsec_é",
            &STANDARD.encode([7; 23]),
            &STANDARD.encode([7; 65]),
            &format!("{SECRET} {SECRET} {SECRET}"),
        ] {
            assert!(WebhookKey::parse(secret).is_err(), "{secret}");
        }
    }

    #[test]
    fn debug_output_does_not_show_the_secret() {
        let secret = WebhookKey::parse(SECRET).unwrap();
        assert_eq!(format!("{secret:?}"), "WebhookKey(redacted)");
    }
}
