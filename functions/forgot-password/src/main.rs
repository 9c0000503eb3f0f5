//! The Lambda function `forgot-password`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve_without_keys(forgot_password::handle)
}
