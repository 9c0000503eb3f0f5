//! The Lambda function `log-in`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve(log_in::handle)
}
