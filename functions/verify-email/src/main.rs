//! The Lambda function `verify-email`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve(verify_email::handle)
}
