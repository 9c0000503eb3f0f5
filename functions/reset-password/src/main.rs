//! The Lambda function `reset-password`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve(reset_password::handle)
}
