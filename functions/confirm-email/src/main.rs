//! The Lambda function `confirm-email`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve_without_keys(confirm_email::handle)
}
