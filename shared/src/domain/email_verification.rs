//! Whether an account needs a verified email.

/// `EMAIL_VERIFICATION`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EmailVerification {
    /// Any account can be used.
    #[default]
    Optional,
    /// An account can be used only once its email is verified.
    Required,
}

impl EmailVerification {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "optional" => Some(Self::Optional),
            "required" => Some(Self::Required),
            _ => None,
        }
    }
}
