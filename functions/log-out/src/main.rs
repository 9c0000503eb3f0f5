//! The Lambda function `log-out`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve(log_out::handle)
}
