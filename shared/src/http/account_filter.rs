//! The parameters of a query that select accounts.

use lambda_http::Request;

use super::HttpError;
use super::openapi::Parameter;
use super::problem::Problem;
use super::request::query;
use crate::auth::AccountFilter;
use crate::domain::Scope;

/// The longest pattern, in bytes.
const MAX_PATTERN: usize = 256;

/// Reads `filter` and `pattern`.
pub fn account_filter(request: &Request) -> Result<AccountFilter, HttpError> {
    let not_a_filter = || HttpError::field("filter", Problem::NotAFilter);
    let scope = match query(request, "filter")? {
        Some(filter) => {
            let scope = filter.strip_prefix("scope:").and_then(Scope::parse);
            Some(scope.ok_or_else(not_a_filter)?)
        }
        None => None,
    };
    let pattern = query(request, "pattern")?.filter(|pattern| !pattern.is_empty());
    if pattern
        .as_ref()
        .is_some_and(|text| text.len() > MAX_PATTERN)
    {
        return Err(HttpError::field(
            "pattern",
            Problem::TooManyBytes(MAX_PATTERN),
        ));
    }
    Ok(AccountFilter { scope, pattern })
}

/// The description of these parameters.
#[must_use]
pub fn parameters() -> Vec<Parameter> {
    vec![
        Parameter::in_query::<String>(
            "filter",
            "`scope:` and a scope that the accounts must have.",
        ),
        Parameter::in_query::<String>(
            "pattern",
            "A text of at most 256 bytes that is anywhere in the username or email, whatever the case. A `+` is a plus \
             sign, and not a space.",
        ),
    ]
}
