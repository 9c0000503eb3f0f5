//! Sessions.

use super::{AccountId, Refresh, SourceIp, Timestamp};

/// A session starts with a sign-up or sign-in. Its tokens are valid only while the session is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Sorts by the time of creation.
    pub id: String,
    pub account: AccountId,
    /// The account's session generation that the password was verified under. The session is live only
    /// while the account has the same.
    pub generation: u64,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// `None` if the session ends with its first token.
    pub refresh: Option<Refresh>,
    pub client: Client,
}

/// Who sends a request, as far as a session remembers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    pub source: SourceIp,
    pub user_agent: Option<UserAgent>,
}

/// The `User-Agent` of a request: at most 256 bytes, without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserAgent(String);

const MAX_USER_AGENT_BYTES: usize = 256;

impl UserAgent {
    /// Cuts a longer text between two characters. `None` if nothing is left.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let mut kept: String = text.chars().filter(|c| !c.is_control()).collect();
        kept.truncate(kept.floor_char_boundary(MAX_USER_AGENT_BYTES));
        (!kept.is_empty()).then_some(Self(kept))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_agent_is_cut_between_characters_and_has_no_control_characters() {
        let user_agent = |text: &str| UserAgent::new(text).map(|agent| agent.0);

        assert_eq!(user_agent("curl/8.5\r\n\u{0}").as_deref(), Some("curl/8.5"));
        assert_eq!(user_agent("\t"), None);
        let long = user_agent(&"ä".repeat(200)).unwrap();
        assert_eq!(long, "ä".repeat(128));
        let odd = user_agent(&format!("x{}", "ä".repeat(200))).unwrap();
        assert_eq!(odd.len(), 255);
    }
}
