//! The Lambda function `delete-user`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve(delete_user::handle)
}
