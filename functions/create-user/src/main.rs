//! The Lambda function `create-user`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve(create_user::handle)
}
