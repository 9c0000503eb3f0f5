//! The Lambda function `refresh-session`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve(refresh_session::handle)
}
