//! The Lambda function `grant-scopes`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve_operator(grant_scopes::handle)
}
