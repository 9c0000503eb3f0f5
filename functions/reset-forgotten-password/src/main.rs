//! The Lambda function `reset-forgotten-password`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve_without_keys(reset_forgotten_password::handle)
}
