//! The Lambda function `confirm-new-email`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve(confirm_new_email::handle)
}
