//! What an account may do.

/// `user`, `admin`, `introspect`, or a name that the operator chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope(String);

impl Scope {
    /// Accepts 1 to 64 characters of `A-Z a-z 0-9 . _ : -`, which are safe in lists, headers and
    /// claims (a subset of `scope-token`, RFC 6749 section 3.3).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
        ((1..=64).contains(&text.len()) && text.bytes().all(allowed)).then(|| Self(text.to_owned()))
    }

    #[must_use]
    pub fn user() -> Self {
        Self("user".to_owned())
    }

    #[must_use]
    pub fn admin() -> Self {
        Self("admin".to_owned())
    }

    /// May ask what a token says.
    #[must_use]
    pub fn introspect() -> Self {
        Self("introspect".to_owned())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const MAX_SCOPES: usize = 16;

/// The scopes of an account, in the order they were granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    #[must_use]
    pub fn of_new_account() -> Self {
        Self(vec![Scope::user()])
    }

    /// `None` for more than 16 scopes or a duplicate.
    #[must_use]
    pub fn granted(scopes: Vec<Scope>) -> Option<Self> {
        let has_duplicates = scopes
            .iter()
            .enumerate()
            .any(|(i, scope)| scopes.iter().skip(i + 1).any(|other| other == scope));
        (scopes.len() <= MAX_SCOPES && !has_duplicates).then_some(Self(scopes))
    }

    #[must_use]
    pub fn has_any(&self, wanted: &[Scope]) -> bool {
        self.0.iter().any(|scope| wanted.contains(scope))
    }

    /// Separated by spaces (RFC 6749 section 3.3).
    #[must_use]
    pub fn joined(&self) -> String {
        self.iter().collect::<Vec<_>>().join(" ")
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(Scope::as_str)
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(names: &[&str]) -> Vec<Scope> {
        names.iter().filter_map(|name| Scope::parse(name)).collect()
    }

    #[test]
    fn a_scope_has_1_to_64_characters_of_its_alphabet() {
        for text in ["a", "Read:All_1.x-y", &"a".repeat(64)] {
            assert_eq!(Scope::parse(text).as_ref().map(Scope::as_str), Some(text));
        }
    }

    #[test]
    fn a_new_account_is_a_user_and_not_an_admin() {
        let scopes = Scopes::of_new_account();

        assert_eq!(scopes.iter().collect::<Vec<_>>(), ["user"]);
        assert!(scopes.has_any(&[Scope::admin(), Scope::user()]));
        assert!(!scopes.has_any(&[Scope::admin()]));
        assert!(!scopes.has_any(&[]));
    }

    #[test]
    fn up_to_sixteen_scopes_are_granted_each_once_and_in_order() {
        let names: Vec<String> = (0..17).map(|n| format!("scope{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();

        let granted = Scopes::granted(scopes(&names[..16])).unwrap();

        assert_eq!(granted.iter().collect::<Vec<_>>(), names[..16]);
        assert_eq!(Scopes::granted(scopes(&names)), None);
        assert_eq!(Scopes::granted(scopes(&["a", "b", "a"])), None);
        assert_eq!(Scopes::granted(scopes(&["a", "b", "b"])), None);
        assert!(Scopes::granted(Vec::new()).is_some());
    }

    #[test]
    fn stored_scopes_are_read_back_in_order() {
        let stored: Scopes = scopes(&["b", "a"]).into_iter().collect();

        assert_eq!(stored.iter().collect::<Vec<_>>(), ["b", "a"]);
    }

    #[test]
    fn a_scope_holds_no_separator_or_space() {
        for text in ["", "a b", "a,b", "a\n", "ü", &"a".repeat(65)] {
            assert_eq!(Scope::parse(text), None, "{text:?}");
        }
    }
}
