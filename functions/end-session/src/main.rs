//! The Lambda function `end-session`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve(end_session::handle)
}
