//! The Lambda function `change-user`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve(change_user::handle)
}
