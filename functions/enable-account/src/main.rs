//! The Lambda function `enable-account`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve_operator(enable_account::handle)
}
