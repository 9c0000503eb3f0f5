//! The Lambda function `change-password`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve(change_password::handle)
}
