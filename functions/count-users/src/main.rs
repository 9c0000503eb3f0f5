//! The Lambda function `count-users`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve(count_users::handle)
}
