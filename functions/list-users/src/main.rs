//! The Lambda function `list-users`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve(list_users::handle)
}
