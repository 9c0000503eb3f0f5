//! The PRECIS profile `UsernameCaseMapped` (RFC 8265 section 3.3).
//!
//! Width-mapped, lower case, NFC; spaces, controls, bidi and format characters and compatibility
//! characters are refused. Applied until it changes nothing more, as RFC 8264 section 7 asks, so
//! that the canonical form of a canonical form is itself.

use std::borrow::Cow;

use precis_core::profile::{PrecisFastInvocation, Rules, stabilize};
use precis_profiles::UsernameCaseMapped;

use super::MAX_CANONICAL_BYTES;

/// The canonical form of `text`, or `None` where the profile refuses it or it grows too long.
pub(super) fn canonical(text: &str) -> Option<String> {
    let canonical = stabilize(text, |text| UsernameCaseMapped::enforce(text)).ok()?;
    (canonical.len() <= MAX_CANONICAL_BYTES).then(|| canonical.into_owned())
}

/// `text` with width, case and normal form mapped as in the canonical form, and nothing refused.
pub(super) fn folded(text: &str) -> String {
    let profile = UsernameCaseMapped::new();
    let folded = profile
        .width_mapping_rule(text)
        .and_then(|text| profile.case_mapping_rule(text))
        .and_then(|text| profile.normalization_rule(text));
    folded.map_or_else(|_| text.to_lowercase(), Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_canonical_form_is_its_own_canonical_form(text in "\\PC{1,40}") {
            if let Some(once) = canonical(&text) {
                prop_assert_eq!(canonical(&once), Some(once));
            }
        }
    }
}
