//! The use cases: domain in, domain out. What HTTP makes of them is in [`crate::http`].

mod authenticate;
mod error;
mod limits;
mod refusals;
mod sign_in;
mod sign_up;

pub use authenticate::{Caller, Presented, Scheme, authenticate};
pub use error::{AuthError, Denial, InternalError};
pub use limits::{Limits, Policy, Refusal};
pub use refusals::Refusals;
pub use sign_in::{SignIn, SignedIn, sign_in};
pub use sign_up::{Creator, SignUp, SignedUp, creator, sign_up};
