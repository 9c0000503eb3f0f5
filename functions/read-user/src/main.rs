//! The Lambda function `read-user`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve(read_user::handle)
}
