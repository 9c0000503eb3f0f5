//! `GET /users`: lists accounts by time of creation, for administrators.

pub mod openapi;

use std::sync::Arc;

use shared::app::App;
use shared::auth::{self, Need, PageRequest};
use shared::http::account_filter::account_filter;
use shared::http::body::Empty;
use shared::http::problem::Problem;
use shared::http::request::{self, JsonBody, SMALL_BODY};
use shared::http::user::ManagedUser;
use shared::http::{HttpError, Reply, Request};
use shared::store::Order;

const NEED: Need = Need::ADMIN_TO_READ;

const DEFAULT_LIMIT: usize = 30;
const LIMITS: (usize, usize) = (1, 100);
const OFFSETS: (usize, usize) = (0, 10_000);

pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body = JsonBody::of(&request, SMALL_BODY)?;
    request::caller(&app, &request, NEED).await?;
    body.read::<Empty>()?;
    let filter = account_filter(&request)?;
    let after = request::query(&request, "after")?;
    let page = PageRequest {
        order: order(&request)?,
        limit: request::query_number(&request, "limit", LIMITS)?.unwrap_or(DEFAULT_LIMIT),
        offset: request::query_number(&request, "offset", OFFSETS)?.unwrap_or(0),
        after: after.as_deref(),
    };
    let page = auth::list_accounts(&app, &filter, page).await?;
    let users: Vec<_> = page.accounts.iter().map(ManagedUser::of).collect();
    let reply = Reply::ok(&users)?;
    Ok(match page.next {
        Some(cursor) => reply.with_next_page(&next_page(&request, &cursor)),
        None => reply,
    })
}

fn order(request: &Request) -> Result<Order, HttpError> {
    match request::query(request, "sort")?.as_deref() {
        None | Some("created:-1") => Ok(Order::NewestFirst),
        Some("created:1") => Ok(Order::OldestFirst),
        Some(_) => Err(HttpError::field("sort", Problem::NotAnOrder)),
    }
}

/// The same query, from the cursor on.
fn next_page(request: &Request, cursor: &str) -> String {
    let kept = request::query_pairs(request)
        .into_iter()
        .filter(|(name, _)| !["after", "offset"].contains(&name.as_str()));
    let mut query = request::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(kept);
    query.append_pair("after", cursor);
    // The serializer writes a space as `+`, which `query_pairs` reads as a plus sign.
    format!("/users?{}", query.finish().replace('+', "%20"))
}
