//! The Lambda function `list-sessions`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve(list_sessions::handle)
}
