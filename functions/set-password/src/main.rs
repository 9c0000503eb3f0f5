//! The Lambda function `set-password`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve_operator(set_password::handle)
}
