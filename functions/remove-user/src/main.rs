//! The Lambda function `remove-user`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve(remove_user::handle)
}
