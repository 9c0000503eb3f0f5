//! The Lambda function `change-email`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve(change_email::handle)
}
