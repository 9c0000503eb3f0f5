//! The Lambda function `end-sessions`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve_operator(end_sessions::handle)
}
