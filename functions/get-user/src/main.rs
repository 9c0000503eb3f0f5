//! The Lambda function `get-user`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve(get_user::handle)
}
