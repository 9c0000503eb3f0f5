//! The PRECIS profile `UsernameCaseMapped` (RFC 8265 section 3.3).
//!
//! It maps width and case and normalises to NFC. It refuses spaces and control, bidi, format and
//! compatibility characters. It is applied until the text no longer changes (RFC 8264 section 7),
//! so canonicalising is idempotent.

use std::borrow::Cow;

use precis_core::profile::{PrecisFastInvocation, Rules, stabilize};
use precis_profiles::UsernameCaseMapped;

use super::MAX_CANONICAL_BYTES;

/// `None` if the profile refuses `text` or the result exceeds [`MAX_CANONICAL_BYTES`].
pub(super) fn canonical(text: &str) -> Option<String> {
    let canonical = stabilize(text, |text| UsernameCaseMapped::enforce(text)).ok()?;
    (canonical.len() <= MAX_CANONICAL_BYTES).then(|| canonical.into_owned())
}

/// Maps width, case and normal form like [`canonical`], but refuses nothing.
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
