//! The API's description of `GET /users`.

use shared::http::account_filter;
use shared::http::openapi::{Asks, Json, Operation, Parameter, example};
use shared::http::user::{ManagedUser, managed_user_example};

use crate::NEED;

#[must_use]
pub fn operation() -> Operation {
    let mut parameters = account_filter::parameters();
    parameters.extend([
        Parameter::choice_in_query(
            "sort",
            "By time of creation: `created:-1`, the default, has the newest first.",
            &["created:1", "created:-1"],
        ),
        Parameter::number_in_query("limit", "How many accounts; 30 by default.", (1, 100)),
        Parameter::number_in_query("offset", "How many accounts to leave out.", (0, 10_000)),
        Parameter::in_query::<String>("after", "The cursor in the `Link` of the page before."),
    ]);
    Operation {
        summary: "List accounts",
        description: "For administrators. An API key needs the permission Read. Following `Link` returns each \
            account exactly once. A page may have fewer accounts than `limit`, and still a next page.",
        parameters,
        asks: Asks::For(NEED),
        answer: Some(Json::of::<Vec<ManagedUser<'_>>>(example!([
            managed_user_example()
        ]))),
        is_paged: true,
        ..Operation::new("listUsers")
    }
}
