//! The Lambda function `end-own-sessions`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve(end_own_sessions::handle)
}
