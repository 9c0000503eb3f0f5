//! The Lambda function `delete-account`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve_operator(delete_account::handle)
}
